"""The tokens of the rating page's links."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.rating_page.tokens import MAX_SURVEY_ID, make_token, read_token

SECRETS = st.text(min_size=1, max_size=50)
SURVEY_IDS = st.integers(1, MAX_SURVEY_ID)
URL_SAFE = set(string.ascii_letters + string.digits + "-_")


@given(SECRETS, SURVEY_IDS)
def test_a_token_leads_to_its_survey(secret: str, survey_id: int) -> None:
    token = make_token(secret, survey_id)

    assert read_token([secret], token) == survey_id
    assert token == make_token(secret, survey_id)
    assert 24 <= len(token) <= 33
    assert set(token) <= URL_SAFE


@given(SECRETS, SECRETS, SURVEY_IDS)
def test_a_token_of_the_previous_secret_is_still_valid(new: str, old: str, survey_id: int) -> None:
    token = make_token(old, survey_id)

    assert read_token([new, old], token) == survey_id
    assert (read_token([new], token) == survey_id) is (new == old)
    assert read_token([], token) is None


@given(SURVEY_IDS, st.data())
def test_a_token_with_a_changed_character_is_unknown(survey_id: int, data: st.DataObject) -> None:
    token = make_token("secret", survey_id)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(sorted(URL_SAFE - {token[at]})))

    assert read_token(["secret"], token[:at] + other + token[at + 1 :]) is None


@given(SURVEY_IDS, st.text(min_size=1, max_size=3))
def test_a_token_with_more_characters_is_unknown(survey_id: int, more: str) -> None:
    token = make_token("secret", survey_id)

    assert read_token(["secret"], token + more) is None
    assert read_token(["secret"], more + token) is None
    assert read_token(["secret"], token[: -len(more)]) is None


@given(st.text(max_size=80) | st.from_regex(r"\A1[A-Za-z0-9_-]{20,40}\Z"))
def test_any_other_text_is_unknown(text: str) -> None:
    assert read_token(["secret"], text) is None


def test_the_tokens_of_a_version_never_change() -> None:
    assert make_token("secret", 1) == "1Uu1tE4q5s1t5KEQqeSesmAE"


@pytest.mark.parametrize("survey_id", [1, 255, 256, 65_536, MAX_SURVEY_ID])
def test_surveys_have_tokens_of_their_own(survey_id: int) -> None:
    assert make_token("secret", survey_id) != make_token("secret", survey_id - 1)

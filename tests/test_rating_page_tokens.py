"""The tokens of the rating page's links."""

import hmac
import string
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from csat.rating_page.tokens import MAX_SURVEY_ID, LinkedSurvey, make_token, read_token
from csat.surveys.rating_link_secret import RatingLinkSecret
from tests.factories import NOON

SECRETS = st.text(min_size=1, max_size=50)
SECONDS = st.integers(0, 2**32 - 1)
SURVEYS = st.builds(LinkedSurvey, st.integers(1, MAX_SURVEY_ID), SECONDS)
BEGINNING = datetime.fromtimestamp(0, UTC)
URL_SAFE = set(string.ascii_letters + string.digits + "-_")


def token_of(survey: LinkedSurvey, secret: str = "secret") -> str:
    return make_token(secret, survey.survey_id, datetime.fromtimestamp(survey.accepted_second, UTC))


def only(secret: str) -> list[RatingLinkSecret]:
    """Return the secrets of an app that has had only one."""
    return [RatingLinkSecret(secret, BEGINNING)]


@given(SECRETS, SURVEYS)
def test_a_token_leads_to_its_survey(secret: str, survey: LinkedSurvey) -> None:
    token = token_of(survey, secret)

    assert read_token(only(secret), token) == survey
    assert token == token_of(survey, secret)
    assert 29 <= len(token) <= 39
    assert set(token) <= URL_SAFE


@given(SURVEYS, SURVEYS)
def test_each_survey_has_a_token_of_its_own(one: LinkedSurvey, other: LinkedSurvey) -> None:
    assume(one != other)

    assert token_of(one) != token_of(other)


@given(SECRETS, SECRETS, SURVEYS, SECONDS)
def test_each_secret_makes_the_tokens_of_the_surveys_of_its_time(
    new: str, old: str, survey: LinkedSurvey, rotated: int
) -> None:
    secrets = [RatingLinkSecret(new, datetime.fromtimestamp(rotated, UTC)), *only(old)]
    is_later = survey.accepted_second >= rotated

    assert (read_token(secrets, token_of(survey, old)) == survey) is (not is_later or new == old)
    assert (read_token(secrets, token_of(survey, new)) == survey) is (is_later or new == old)


@given(SURVEYS, st.data())
def test_a_token_with_a_changed_character_is_unknown(survey: LinkedSurvey, data: st.DataObject) -> None:
    token = token_of(survey)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(sorted(URL_SAFE - {token[at]})))

    assert read_token(only("secret"), token[:at] + other + token[at + 1 :]) is None


@given(SURVEYS, st.text(min_size=1, max_size=3))
def test_a_token_with_more_or_fewer_characters_is_unknown(survey: LinkedSurvey, more: str) -> None:
    token = token_of(survey)

    assert read_token(only("secret"), token + more) is None
    assert read_token(only("secret"), more + token) is None
    assert read_token(only("secret"), token[: -len(more)]) is None


@given(st.text(max_size=80) | st.from_regex(r"\A1[A-Za-z0-9_-]{20,40}\Z"))
def test_any_other_text_is_unknown(text: str) -> None:
    assert read_token(only("secret"), text) is None


def test_the_tokens_of_a_version_never_change() -> None:
    assert make_token("secret", 1234, NOON) == "1nUFGRvRMyECG0f8muejsuGmoHsAE0g"


def test_a_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = Mock(wraps=hmac.compare_digest)
    monkeypatch.setattr(hmac, "compare_digest", compared)
    token = token_of(LinkedSurvey(1, 0))
    read_token(only("secret"), token)

    compared.assert_called_once_with(token, token)

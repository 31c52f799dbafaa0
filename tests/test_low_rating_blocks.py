"""What is shown of a low rating stays within Slack's limits, and says no more than it may."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from blocks import low_rating, response_modal
from csat.surveys.follow_ups import FollowUp, RevealedRating
from csat.surveys.recipients import Recipient
from sandbox.slack.blockkit import validate_blocks, validate_view
from tests.factories import CATALOGUE, NOON, make_origin, make_survey
from tests.strategies import TEXT
from tests.world import visible_text

HOSTILE = "<!channel> <@U012AB3CE> *b* <https://evil.example|x> \u202egnp.exe\u2066 one\u2028two"
LINK = "https://northwindair.slack.com/archives/C012AB3CD/p1700000000000100"
SENTINEL = "SENTINEL"
UP = FollowUp(opened_at=NOON, taken_by="U0CLEO", taken_at=NOON, closed_by="U0CLEO", closed_at=NOON)


def shown(**fields: Any) -> RevealedRating:
    fine = {
        "survey_id": 7,
        "survey": make_survey(),
        "origin": make_origin(),
        "asked_at": NOON - timedelta(days=1),
        "ts": "1700000000.000100",
        "follow_up": FollowUp(opened_at=NOON),
        "rating": 1,
        "comment": SENTINEL,
        "note": SENTINEL,
    }
    return RevealedRating(**{**fine, **fields})


def rendered(blocks: Any) -> Any:
    return json.loads(json.dumps([block.to_dict() for block in blocks]))


def check(view: dict[str, Any]) -> None:
    assert validate_view(json.loads(json.dumps(view)), "modal") == []
    assert View(**view).to_dict() == view
    assert len(json.dumps(view)) < 250_000


@pytest.mark.parametrize("follow_up", [FollowUp(opened_at=NOON), UP])
@pytest.mark.parametrize("external_id", ["", "e" * 256, "<!channel>" * 25])
@pytest.mark.parametrize("link", ["", LINK])
def test_slack_takes_every_alert(follow_up: FollowUp, external_id: str, link: str) -> None:
    one = shown(follow_up=follow_up, survey=make_survey(external_id=external_id, display_name="W" * 20))
    message = low_rating.alert_message(one, CATALOGUE, link)
    blocks = json.loads(json.dumps(message.blocks))

    assert validate_blocks(blocks, "message") == []
    assert validate_blocks(rendered(low_rating.low_rating_blocks(one, CATALOGUE, link)), "home") == []
    assert [block.to_dict() for block in Block.parse_all(blocks)] == blocks
    assert "<" not in message.text
    assert "mrkdwn" not in str(blocks)
    assert SENTINEL not in str(blocks) + message.text
    assert (LINK in str(blocks)) == bool(link)


@pytest.mark.parametrize("comment", [None, "", HOSTILE, "w" * 30_000, "line\n" * 9_000])
@pytest.mark.parametrize("rating", [None, 0, 1])
def test_slack_takes_every_answer(comment: str | None, rating: int | None) -> None:
    view = response_modal.response_modal(
        shown(comment=comment, rating=rating, note="n" * 3_000), CATALOGUE, LINK
    )

    check(view)
    assert "mrkdwn" not in str(view)
    assert "\u202e" not in visible_text(view["blocks"])


@given(TEXT, TEXT | st.none())
def test_slack_takes_whatever_a_customer_or_a_supervisor_wrote(comment: str, note: str | None) -> None:
    check(response_modal.response_modal(shown(comment=comment, note=note), CATALOGUE))


def test_an_answer_of_somebody_who_was_erased_names_nobody() -> None:
    erased = shown(survey=make_survey().with_recipient(Recipient()), comment=None)
    view = response_modal.response_modal(erased, CATALOGUE)

    check(view)
    assert "a customer who was erased" in visible_text(view["blocks"])
    assert "x.com" not in str(view)


def test_slack_takes_the_form_for_the_note_and_what_is_said_instead() -> None:
    form = response_modal.close_modal(shown(), CATALOGUE)

    check(form)
    assert (form["callback_id"], form["private_metadata"]) == (response_modal.CLOSE_CALLBACK_ID, "7")
    check(response_modal.message_modal(low_rating.withdrawn_message()))

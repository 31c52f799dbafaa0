"""Alerts and modals of low ratings are within Slack's limits and reveal only what they may."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from blocks import low_rating, low_rating_modals
from csat.surveys.follow_ups import MAX_NOTE_LENGTH, FollowUp, RevealedRating
from csat.surveys.recipients import XAccount
from sandbox.slack.blockkit import validate_blocks, validate_view
from tests.factories import CATALOGUE, NOON, make_origin, make_survey
from tests.strategies import TEXT
from tests.world import visible_text

HOSTILE = "<!channel> <@U012AB3CE> *b* <https://evil.example|x> \u202egnp.exe\u2066 one\u2028two"
LINK = "https://northwindair.slack.com/archives/C012AB3CD/p1700000000000100"
SENTINEL = "SENTINEL"
CLOSED = FollowUp(opened_at=NOON, taken_by="U0CLEO", taken_at=NOON, closed_by="U0CLEO", closed_at=NOON)


def make_rating(**fields: Any) -> RevealedRating:
    defaults = {
        "survey_id": 7,
        "key": "7",
        "survey": make_survey(),
        "origin": make_origin(),
        "asked_at": NOON - timedelta(days=1),
        "ts": "1700000000.000100",
        "follow_up": FollowUp(opened_at=NOON),
        "rating": 1,
        "comment": SENTINEL,
        "note": SENTINEL,
    }
    return RevealedRating(**{**defaults, **fields})


def render(blocks: Any) -> Any:
    return json.loads(json.dumps([block.to_dict() for block in blocks]))


def check_modal(view: dict[str, Any]) -> None:
    assert validate_view(json.loads(json.dumps(view)), "modal") == []
    assert View(**view).to_dict() == view
    assert len(json.dumps(view)) < 250_000


@pytest.mark.parametrize("follow_up", [FollowUp(opened_at=NOON), CLOSED])
@pytest.mark.parametrize("external_id", ["", "e" * 256, "<!channel>" * 25])
@pytest.mark.parametrize("link", ["", LINK])
@pytest.mark.parametrize("is_low", [True, False])
def test_every_alert_is_valid_and_hides_the_answer(
    follow_up: FollowUp, external_id: str, link: str, *, is_low: bool
) -> None:
    survey = make_survey(external_id=external_id, display_name="W" * 20)
    rating = make_rating(follow_up=follow_up, survey=survey, is_low=is_low)
    message = low_rating.alert_message(rating, CATALOGUE, link)
    blocks = json.loads(json.dumps(message.blocks))

    assert validate_blocks(blocks, "message") == []
    assert validate_blocks(render(low_rating.low_rating_blocks(rating, CATALOGUE, link)), "home") == []
    assert [block.to_dict() for block in Block.parse_all(blocks)] == blocks
    assert "<" not in message.text
    assert "mrkdwn" not in str(blocks)
    assert SENTINEL not in str(blocks) + message.text
    assert (LINK in str(blocks)) == bool(link)


@pytest.mark.parametrize("comment", [None, "", HOSTILE, "w" * 30_000, "line\n" * 9_000])
@pytest.mark.parametrize("rating", [None, 0, 1, 5])
def test_every_response_modal_is_valid(comment: str | None, rating: int | None) -> None:
    view = low_rating_modals.response_modal(
        make_rating(comment=comment, rating=rating, is_low=rating != 5, note="n" * 3_000), CATALOGUE, LINK
    )

    check_modal(view)
    assert "mrkdwn" not in str(view)
    assert "\u202e" not in visible_text(view["blocks"])


@given(TEXT, TEXT | st.none())
def test_a_response_modal_with_any_text_is_valid(comment: str, note: str | None) -> None:
    check_modal(low_rating_modals.response_modal(make_rating(comment=comment, note=note), CATALOGUE))


def test_the_response_of_an_erased_customer_names_nobody() -> None:
    erased = make_rating(survey=make_survey().with_recipient(XAccount()), comment=None)
    view = low_rating_modals.response_modal(erased, CATALOGUE)

    check_modal(view)
    assert "a deleted customer" in visible_text(view["blocks"])
    assert "x.com" not in str(view)


def test_the_note_form_and_the_withdrawn_message_are_valid() -> None:
    form = low_rating_modals.close_modal(make_rating(), CATALOGUE)

    check_modal(form)
    assert (form["callback_id"], form["private_metadata"]) == (low_rating_modals.CLOSE_CALLBACK_ID, "7")
    check_modal(low_rating_modals.message_modal(low_rating.withdrawn_message()))
    check_modal(
        low_rating_modals.unsaved_note_modal(
            low_rating.withdrawn_message(), "n" * MAX_NOTE_LENGTH, is_closed=True
        )
    )

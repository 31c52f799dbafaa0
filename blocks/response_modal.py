"""The answer to a survey, for a supervisor's eyes alone, and the form that closes a low rating."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement, RichTextElementParts

from blocks.elements import (
    Message,
    context,
    profile_link,
    quote,
    rich_line,
    text,
    timestamp,
    truncate_lines,
    user_mention,
)
from blocks.low_rating import follow_up_line
from blocks.notifications import survey_details
from blocks.status import DATE_AND_TIME
from csat.surveys.follow_ups import MAX_NOTE_LENGTH, LowRating, RevealedRating
from csat.surveys.questions import SCALES, Catalogue

CLOSE_CALLBACK_ID: Final = "closing_low_rating"
"""The callback id of the form for the note, whose metadata is the survey's id."""
NOTE_ID: Final = "note"
"""The note's block id and action id."""
MAX_COMMENT_LENGTH: Final = 9_000
"""How many characters of a comment are shown."""

TITLE: Final = "Low rating"


def response_modal(shown: RevealedRating, catalogue: Catalogue, link: str = "") -> dict[str, Any]:
    """Return a modal with the answer, where it was asked for, and what became of it."""
    return _modal(TITLE, list(_answer(shown, catalogue, link)))


def close_modal(low: LowRating, catalogue: Catalogue) -> dict[str, Any]:
    """Return the form that asks what became of a low rating."""
    note = InputBlock(
        block_id=NOTE_ID,
        label="What became of it",
        hint="Supervisors can read it with the answer; whoever asked for the survey can't.",
        element=PlainTextInputElement(action_id=NOTE_ID, multiline=True, max_length=MAX_NOTE_LENGTH),
    )
    view = _modal(
        "Close a low rating",
        [context(*survey_details(low.survey, catalogue)), follow_up_line(low.follow_up), note],
    )
    form = {
        "callback_id": CLOSE_CALLBACK_ID,
        "private_metadata": str(low.survey_id),
        "submit": _plain("Close it"),
    }
    return {**view, **form, "close": _plain("Cancel")}


def message_modal(message: Message) -> dict[str, Any]:
    """Return a modal that says why it shows nothing else."""
    return {**_modal(TITLE, []), "blocks": message.blocks}


def _answer(shown: RevealedRating, catalogue: Catalogue, link: str) -> Iterator[Block]:
    scale = SCALES[shown.survey.metric]
    yield context(*survey_details(shown.survey, catalogue))
    rating = "none" if shown.rating is None else str(shown.rating)
    yield rich_line(text(f"Rating: {rating}", bold=True), text(f" on a scale from {scale[0]} to {scale[-1]}"))
    comment = truncate_lines(shown.comment or "", MAX_COMMENT_LENGTH)
    yield quote(text(comment)) if comment else rich_line(text("No comment."))
    yield _asking(shown, link)
    yield follow_up_line(shown.follow_up)
    if note := truncate_lines(shown.note or "", MAX_NOTE_LENGTH):
        yield quote(text(note))


def _asking(shown: RevealedRating, link: str) -> Block:
    who = shown.survey.recipient
    return rich_line(
        user_mention(shown.origin.requester),
        text(" asked "),
        text("a customer who was erased") if who.is_erased else profile_link(who.label),
        text(" on "),
        timestamp(shown.asked_at, DATE_AND_TIME),
        *([text(": "), RichTextElementParts.Link(url=link, text="open the thread")] if link else []),
        text("."),
    )


def _modal(title: str, blocks: Sequence[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "title": _plain(title),
        "close": _plain("Close"),
        "blocks": [block.to_dict() for block in blocks],
    }


def _plain(words: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": words, "emoji": True}

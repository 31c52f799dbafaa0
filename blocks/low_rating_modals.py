"""The modals of a low rating: the response, for supervisors only, and the form that closes the follow-up."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement, RichTextElementParts

from blocks.block_json import render_all
from blocks.elements import (
    Message,
    context,
    plain_text,
    quote,
    recipient_link,
    rich_line,
    text,
    timestamp,
    truncate_lines,
    user_mention,
)
from blocks.low_rating import NOT_LOW, follow_up_line
from blocks.survey_notifications import survey_details
from csat.surveys.follow_ups import MAX_NOTE_LENGTH, LowRating, RevealedRating
from csat.surveys.questions import SCALES, Catalogue

CLOSE_CALLBACK_ID: Final = "closing_low_rating"
"""The callback id of the form; its private metadata is the survey's key."""
NOTE_ID: Final = "note"
"""The block id and the action id of the note."""
MAX_TEXT_LENGTH: Final = 9_000
"""Of a comment, and of the notes."""

NOTE_NOT_SAVED: Final = "Your note wasn't saved. To keep it, copy it:"
NOTE_OF_CLOSED: Final = "Your note wasn't saved. To add it, copy it, reopen the low rating, and close it:"

TITLE: Final = "Low rating"
TITLE_OF_CHANGED: Final = "Changed rating"


def response_modal(rating: RevealedRating, catalogue: Catalogue, link: str = "") -> dict[str, Any]:
    """Return a modal with the response, who asked for it, and its follow-up."""
    title = TITLE if rating.is_low else TITLE_OF_CHANGED
    return _modal(title, list(_response(rating, catalogue, link)))


def close_modal(rating: LowRating, catalogue: Catalogue) -> dict[str, Any]:
    """Return the form that closes a low rating with a note."""
    note = InputBlock(
        block_id=NOTE_ID,
        label="What was done about it",
        hint="Supervisors see this with the answer. The person who asked for the survey doesn't.",
        element=PlainTextInputElement(action_id=NOTE_ID, multiline=True, max_length=MAX_NOTE_LENGTH),
    )
    details = context(*survey_details(rating.survey, catalogue))
    return {
        **_modal("Close a low rating", [details, follow_up_line(rating.follow_up), note]),
        "callback_id": CLOSE_CALLBACK_ID,
        "private_metadata": rating.key,
        "submit": plain_text("Close it"),
        "close": plain_text("Cancel"),
    }


def get_note(view: Mapping[str, Any]) -> str:
    """Return the note from a submission of the form."""
    return view["state"]["values"][NOTE_ID][NOTE_ID]["value"] or ""


def message_modal(message: Message) -> dict[str, Any]:
    """Return a modal that only shows a message."""
    return {**_modal(TITLE, []), "blocks": message.blocks}


def unsaved_note_modal(message: Message, note: str, *, is_closed: bool) -> dict[str, Any]:
    """Return a modal that shows a message, and the note that was not saved, so that it can be copied."""
    unsaved = [rich_line(text(NOTE_OF_CLOSED if is_closed else NOTE_NOT_SAVED)), quote(text(note))]
    return {**_modal(TITLE, []), "blocks": [*message.blocks, *render_all(unsaved)]}


def _response(rating: RevealedRating, catalogue: Catalogue, link: str) -> Iterator[Block]:
    scale = SCALES[rating.survey.metric]
    yield context(*survey_details(rating.survey, catalogue))
    if rating.rating is None:
        yield rich_line(text("No rating.", bold=True))
    else:
        value = text(f"Rating: {rating.rating}", bold=True)
        yield rich_line(value, text(f" on a scale from {scale[0]} to {scale[-1]}"))
    if not rating.is_low:
        yield rich_line(text(NOT_LOW))
    comment = truncate_lines(rating.comment or "", MAX_TEXT_LENGTH)
    yield quote(text(comment)) if comment else rich_line(text(_explain_no_comment(rating)))
    yield _request(rating, link)
    yield follow_up_line(rating.follow_up)
    if note := truncate_lines(rating.note or "", MAX_TEXT_LENGTH):
        yield quote(text(note))


def _explain_no_comment(rating: RevealedRating) -> str:
    return "The comment was erased with the customer." if rating.is_comment_erased else "No comment."


def _request(rating: RevealedRating, link: str) -> Block:
    return rich_line(
        user_mention(rating.origin.requester),
        text(" asked "),
        recipient_link(rating.survey.recipient),
        text(" "),
        timestamp(rating.asked_at),
        *(
            [text(" ("), RichTextElementParts.Link(url=link, text="open the thread"), text(")")]
            if link
            else []
        ),
        text("."),
    )


def _modal(title: str, blocks: Sequence[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "title": plain_text(title),
        "close": plain_text("Close"),
        "blocks": render_all(blocks),
    }

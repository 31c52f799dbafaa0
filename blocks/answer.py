"""The answer to a survey, for a supervisor's eyes alone, and the form that closes a low rating."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement, RichTextElementParts

from blocks.kit import Message, customer, line, lines, moment, person, quote, small, text
from blocks.limits import DATE
from blocks.low_rating import standing
from blocks.notifications import about
from csat.surveys.follow_ups import LONGEST_NOTE, LowRating, RevealedRating
from csat.surveys.questions import SCALES, Catalogue

CLOSING: Final = "closing_low_rating"
"""The callback id of the form for the note, whose metadata is the survey's id."""
NOTE: Final = "note"
"""The note's block id and action id."""
LONGEST_COMMENT: Final = 9_000
"""How many characters of a comment are shown."""

TITLE: Final = "Low rating"


def answer(shown: RevealedRating, catalogue: Catalogue, link: str = "") -> dict[str, Any]:
    """Return a modal with the answer, where it was asked for, and what became of it."""
    return _modal(TITLE, list(_answer(shown, catalogue, link)))


def closing(low: LowRating, catalogue: Catalogue) -> dict[str, Any]:
    """Return the form that asks what became of a low rating."""
    note = InputBlock(
        block_id=NOTE,
        label="What became of it",
        hint="Supervisors can read it with the answer; whoever asked for the survey can't.",
        element=PlainTextInputElement(action_id=NOTE, multiline=True, max_length=LONGEST_NOTE),
    )
    view = _modal("Close a low rating", [small(*about(low.survey, catalogue)), standing(low.follow_up), note])
    form = {"callback_id": CLOSING, "private_metadata": str(low.survey_id), "submit": _plain("Close it")}
    return {**view, **form, "close": _plain("Cancel")}


def instead(message: Message) -> dict[str, Any]:
    """Return a modal that says why it shows nothing else."""
    return _modal(TITLE, message.blocks)


def _answer(shown: RevealedRating, catalogue: Catalogue, link: str) -> Iterator[Block]:
    scale = SCALES[shown.survey.metric]
    yield small(*about(shown.survey, catalogue))
    rating = "none" if shown.rating is None else str(shown.rating)
    yield line(text(f"Rating: {rating}", bold=True), text(f" on a scale from {scale[0]} to {scale[-1]}"))
    comment = lines(shown.comment or "", LONGEST_COMMENT)
    yield quote(text(comment)) if comment else line(text("No comment."))
    yield _asking(shown, link)
    yield standing(shown.follow_up)
    if note := lines(shown.note or "", LONGEST_NOTE):
        yield quote(text(note))


def _asking(shown: RevealedRating, link: str) -> Block:
    who = shown.survey.recipient
    return line(
        person(shown.origin.requester),
        text(" asked "),
        text("a customer who was erased") if who.forgotten else customer(who.typed),
        text(" on "),
        moment(shown.asked_at, DATE),
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

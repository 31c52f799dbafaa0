"""A low rating, as everybody in the results channel may know of it, and who looks after it.

Nothing here says which rating it is, or what the customer wrote: see `blocks.answer`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
)

from blocks.kit import Message, escape, line, moment, person, small, text
from blocks.limits import DATE
from blocks.notifications import about
from csat.surveys.follow_ups import FollowUp, LowRating
from csat.surveys.questions import Catalogue

SHOW: Final = "show_low_rating"
TAKE_ON: Final = "take_on_low_rating"
CLOSE: Final = "close_low_rating"
"""Action ids of buttons whose value is the survey's id."""

_LOW: Final = "A customer gave a low rating."


def alert(low: LowRating, catalogue: Catalogue, link: str = "") -> Message:
    """Tell the results channel that there is a low rating, and who looks after it."""
    return Message(
        f"{_LOW} {escape('. '.join(about(low.survey, catalogue)))}",
        [line(text(_LOW, bold=True)), *_entry(low, catalogue, link)],
    )


def listed(low: LowRating, catalogue: Catalogue, link: str = "") -> list[Block]:
    """Return the same as an entry of a list, in three blocks."""
    return _entry(low, catalogue, link)


def withdrawn() -> Message:
    """Say that what seemed a low rating was none."""
    words = "A rating that seemed low was not: the customer's first answer stands. Nothing is left to do."
    return Message(words, [line(text(words))])


def standing(follow_up: FollowUp) -> RichTextBlock:
    """Say who looks after it, or did."""
    return line(*_standing(follow_up))


def _entry(low: LowRating, catalogue: Catalogue, link: str) -> list[Block]:
    return [
        small(*about(low.survey, catalogue)),
        line(*_asked(low, link), *_standing(low.follow_up)),
        _buttons(low),
    ]


def _asked(low: LowRating, link: str) -> Iterator[RichTextElement]:
    yield text("Asked on ")
    yield moment(low.asked_at, DATE)
    if link:
        yield text(" (")
        yield RichTextElementParts.Link(url=link, text="open the thread")
        yield text(")")
    yield text(", low since ")
    yield moment(low.follow_up.low_at, DATE)
    yield text(". ")


def _standing(follow_up: FollowUp) -> Iterator[RichTextElement]:
    if follow_up.taken_by and follow_up.taken_at:
        yield from _did(follow_up.taken_by, "Taken on by ", follow_up.taken_at)
    if follow_up.closed_by and follow_up.closed_at:
        yield from _did(follow_up.closed_by, "Closed by ", follow_up.closed_at)
    if not (follow_up.taken_by or follow_up.closed_by):
        yield text("Nobody has taken it on yet.")


def _did(who: str, what: str, when: datetime) -> Iterator[RichTextElement]:
    yield text(what)
    yield person(who)
    yield text(" on ")
    yield moment(when, DATE)
    yield text(". ")


def _buttons(low: LowRating) -> ActionsBlock:
    follow_up = low.follow_up
    offered = [
        (SHOW, "Show"),
        *([] if follow_up.taken_by or follow_up.closed_by else [(TAKE_ON, "Take it on")]),
        *([] if follow_up.closed_by else [(CLOSE, "Close with a note")]),
    ]
    return ActionsBlock(elements=[_button(low, action_id, words) for action_id, words in offered])


def _button(low: LowRating, action_id: str, words: str) -> ButtonElement:
    return ButtonElement(
        action_id=action_id,
        text=words,
        value=str(low.survey_id),
        accessibility_label=f"{words}: low rating of survey {low.survey_id}",
    )

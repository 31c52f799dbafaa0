"""A low rating, as everybody in the results channel may know of it, and who looks after it.

Nothing here says which rating it is, or what the customer wrote: see `blocks.response_modal`.
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

from blocks.elements import (
    Message,
    build_message,
    context,
    escape_mrkdwn,
    rich_line,
    text,
    timestamp,
    user_mention,
)
from blocks.notifications import survey_details
from blocks.status import DATE_AND_TIME
from csat.surveys.follow_ups import FollowUp, LowRating
from csat.surveys.questions import Catalogue

SHOW_ACTION: Final = "show_low_rating"
TAKE_ON_ACTION: Final = "take_on_low_rating"
CLOSE_ACTION: Final = "close_low_rating"
"""Action ids of buttons whose value is the survey's id."""

_LOW: Final = "A customer gave a low rating."


def alert_message(low: LowRating, catalogue: Catalogue, link: str = "") -> Message:
    """Tell the results channel that there is a low rating, and who looks after it."""
    return build_message(
        f"{_LOW} {escape_mrkdwn('. '.join(survey_details(low.survey, catalogue)))}",
        [rich_line(text(_LOW, bold=True)), *_entry(low, catalogue, link)],
    )


def list_entry(low: LowRating, catalogue: Catalogue, link: str = "") -> list[Block]:
    """Return the same as an entry of a list, in three blocks."""
    return _entry(low, catalogue, link)


def withdrawn_message() -> Message:
    """Say that what seemed a low rating was none."""
    words = "A rating that seemed low was not: the customer's first answer stands. Nothing is left to do."
    return build_message(words, [rich_line(text(words))])


def follow_up_line(follow_up: FollowUp) -> RichTextBlock:
    """Say who looks after it, or did."""
    return rich_line(*_standing(follow_up))


def _entry(low: LowRating, catalogue: Catalogue, link: str) -> list[Block]:
    return [
        context(*survey_details(low.survey, catalogue)),
        rich_line(*_asked(low, link), *_standing(low.follow_up)),
        _buttons(low),
    ]


def _asked(low: LowRating, link: str) -> Iterator[RichTextElement]:
    yield text("Asked on ")
    yield timestamp(low.asked_at, DATE_AND_TIME)
    if link:
        yield text(" (")
        yield RichTextElementParts.Link(url=link, text="open the thread")
        yield text(")")
    yield text(", low since ")
    yield timestamp(low.follow_up.opened_at, DATE_AND_TIME)
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
    yield user_mention(who)
    yield text(" on ")
    yield timestamp(when, DATE_AND_TIME)
    yield text(". ")


def _buttons(low: LowRating) -> ActionsBlock:
    follow_up = low.follow_up
    offered = [
        (SHOW_ACTION, "Show"),
        *([] if follow_up.taken_by or follow_up.closed_by else [(TAKE_ON_ACTION, "Take it on")]),
        *([] if follow_up.closed_by else [(CLOSE_ACTION, "Close with a note")]),
    ]
    return ActionsBlock(elements=[_button(low, action_id, words) for action_id, words in offered])


def _button(low: LowRating, action_id: str, words: str) -> ButtonElement:
    return ButtonElement(
        action_id=action_id,
        text=words,
        value=str(low.survey_id),
        accessibility_label=f"{words}: low rating of survey {low.survey_id}",
    )

"""A low rating as everyone in the results channel may see it, or supervisors in App Home, and its follow-up.

The rating itself and the customer's comment are shown by `blocks.low_rating_modals` only.
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
    RichTextQuoteElement,
    RichTextSectionElement,
)

from blocks.elements import (
    Message,
    build_message,
    context,
    escape_mrkdwn,
    plain_message,
    recipient_link,
    rich_line,
    text,
    timestamp,
    truncate_lines,
    user_mention,
)
from blocks.survey_notifications import survey_details
from csat.surveys.follow_ups import FollowUp, LowRating, NotedLowRating
from csat.surveys.questions import Catalogue

SHOW_ACTION: Final = "show_low_rating"
TAKE_ON_ACTION: Final = "take_on_low_rating"
TAKE_OVER_ACTION: Final = "take_over_low_rating"
CLOSE_ACTION: Final = "close_low_rating"
REOPEN_ACTION: Final = "reopen_low_rating"
"""The value of each button is the survey's key; see `parse_take_over` for the one to take over."""

MAX_SHOWN_NOTE_LENGTH: Final = 600
"""In a list; "Show" shows the whole note."""
NO_NOTE: Final = "The note was erased with the customer."

NOT_LOW: Final = "This rating is not low any more: the customer changed it."
"""Also to be read where nobody may see the rating."""

WITHDRAWN: Final = (
    "This rating is not low after all: the customer gave another one. There's nothing left to do."
)

_TITLE: Final = "A customer gave a low rating."


def alert_message(rating: LowRating, catalogue: Catalogue, link: str = "") -> Message:
    """Tell the results channel of a low rating, or that it was changed, and the state of its follow-up."""
    title = _TITLE if rating.is_low else NOT_LOW
    return build_message(
        f"{title} {escape_mrkdwn(' · '.join(survey_details(rating.survey, catalogue)))}",
        [rich_line(text(title, bold=True)), *low_rating_blocks(rating, catalogue, link)],
    )


def anonymous_alert_message(rating: LowRating, catalogue: Catalogue) -> Message:
    """Tell a results channel that another company reads, without the case number and the link."""
    survey = rating.survey.model_copy(update={"external_id": ""})
    return alert_message(rating.model_copy(update={"survey": survey}), catalogue)


def withdrawn_message() -> Message:
    """Tell the results channel that a rating was not low after all."""
    return plain_message(WITHDRAWN)


def low_rating_blocks(rating: LowRating, catalogue: Catalogue, link: str = "") -> list[Block]:
    """Return a low rating in three blocks, with the buttons that its follow-up allows."""
    return [
        context(*survey_details(rating.survey, catalogue)),
        rich_line(text("Asked "), *_dates(rating, link), *_follow_up(rating.follow_up)),
        _buttons(rating),
    ]


def named_low_rating_blocks(
    rating: NotedLowRating, catalogue: Catalogue, reader: str, link: str = ""
) -> list[Block]:
    """Return a low rating for a supervisor, who may know which agent asked which customer, and its note."""
    changed = [] if rating.is_low else [text(f"{NOT_LOW} ")]
    parts = [*_names(rating), *_dates(rating, link), *changed, *_follow_up(rating.follow_up)]
    return [
        _named_details(rating, catalogue),
        RichTextBlock(elements=[RichTextSectionElement(elements=parts), *_note(rating)]),
        _buttons(rating, reader),
    ]


def parse_take_over(value: str) -> tuple[str, str]:
    """Return a survey's key and whom it was assigned to, from the value of the button to take over."""
    key, _, taken_from = value.rpartition(":")
    return key, taken_from


def follow_up_line(follow_up: FollowUp) -> RichTextBlock:
    """Return who a low rating is assigned to, and who closed or reopened it."""
    return rich_line(*_follow_up(follow_up))


def _named_details(rating: LowRating, catalogue: Catalogue) -> Block:
    no_case = "" if rating.survey.external_id else "No case number"
    return context(*survey_details(rating.survey, catalogue), no_case)


def _names(rating: LowRating) -> Iterator[RichTextElement]:
    yield user_mention(rating.origin.requester)
    yield text(" asked ")
    yield recipient_link(rating.survey.recipient)
    yield text(" ")


def _dates(rating: LowRating, link: str) -> Iterator[RichTextElement]:
    yield timestamp(rating.asked_at)
    if link:
        yield text(" (")
        yield RichTextElementParts.Link(url=link, text="open the thread")
        yield text(")")
    yield text(", rated low ")
    yield timestamp(rating.follow_up.opened_at)
    yield text(". ")


def _note(rating: NotedLowRating) -> Iterator[RichTextQuoteElement]:
    if rating.follow_up.closed_by:
        note = truncate_lines(rating.note or "", MAX_SHOWN_NOTE_LENGTH)
        yield RichTextQuoteElement(elements=[text(note or NO_NOTE)])


def _follow_up(follow_up: FollowUp) -> Iterator[RichTextElement]:
    if follow_up.taken_by and follow_up.taken_at:
        yield from _step("Assigned to ", follow_up.taken_by, follow_up.taken_at)
    elif not follow_up.closed_at:
        yield text("Unassigned. ")
    if follow_up.closed_by and follow_up.closed_at:
        yield from _step("Closed by ", follow_up.closed_by, follow_up.closed_at)
    elif follow_up.closed_by and follow_up.reopened_by and follow_up.reopened_at:
        yield text("Closed by ")
        yield user_mention(follow_up.closed_by)
        yield from _step(", reopened by ", follow_up.reopened_by, follow_up.reopened_at)


def _step(action: str, user: str, when: datetime) -> Iterator[RichTextElement]:
    yield text(action)
    yield user_mention(user)
    yield text(" ")
    yield timestamp(when)
    yield text(". ")


def _buttons(rating: LowRating, reader: str = "") -> ActionsBlock:
    """Return the buttons that the follow-up allows, for one reader or for everybody in a channel."""
    follow_up = rating.follow_up
    labels = {SHOW_ACTION: "Show"}
    if follow_up.closed_at and rating.is_low:
        labels[REOPEN_ACTION] = "Reopen"
    elif rating.is_low:
        if not follow_up.taken_by:
            labels[TAKE_ON_ACTION] = "Assign to me"
        elif follow_up.taken_by != reader:
            labels[TAKE_OVER_ACTION] = "Take over"
        labels[CLOSE_ACTION] = "Close with a note"
    return ActionsBlock(elements=[_button(rating, action_id, label) for action_id, label in labels.items()])


def _button(rating: LowRating, action_id: str, label: str) -> ButtonElement:
    taken_from = f":{rating.follow_up.taken_by}" if action_id == TAKE_OVER_ACTION else ""
    return ButtonElement(
        action_id=action_id,
        text=label,
        value=f"{rating.key}{taken_from}",
        accessibility_label=f"{label}: low rating of survey {rating.survey_id}",
    )

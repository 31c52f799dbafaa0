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
from blocks.notifications import survey_details
from csat.surveys.low_ratings import ClosedLowRating, FollowUp, LowRating
from csat.surveys.questions import Catalogue

SHOW_ACTION: Final = "show_low_rating"
TAKE_ON_ACTION: Final = "take_on_low_rating"
CLOSE_ACTION: Final = "close_low_rating"
"""The value of each button is the survey's id."""

MAX_SHOWN_NOTE_LENGTH: Final = 600
"""In a list; "Show" shows the whole note."""
NO_NOTE: Final = "The note was erased with the customer."

_TITLE: Final = "A customer gave a low rating."


def alert_message(rating: LowRating, catalogue: Catalogue, link: str = "") -> Message:
    """Tell the results channel of a low rating, and the state of its follow-up."""
    return build_message(
        f"{_TITLE} {escape_mrkdwn(' · '.join(survey_details(rating.survey, catalogue)))}",
        [rich_line(text(_TITLE, bold=True)), *low_rating_blocks(rating, catalogue, link)],
    )


def anonymous_alert_message(rating: LowRating, catalogue: Catalogue) -> Message:
    """Tell a results channel that another company reads, without the case number and the link."""
    survey = rating.survey.model_copy(update={"external_id": ""})
    return alert_message(rating.model_copy(update={"survey": survey}), catalogue)


def withdrawn_message() -> Message:
    """Tell the results channel that a rating was not low after all."""
    return plain_message(
        "This rating is not low after all: the customer's first answer stands. There's nothing left to do."
    )


def low_rating_blocks(rating: LowRating, catalogue: Catalogue, link: str = "") -> list[Block]:
    """Return a low rating in three blocks, with the buttons that its follow-up allows."""
    return [
        context(*survey_details(rating.survey, catalogue)),
        rich_line(text("Asked "), *_dates(rating, link), *_follow_up(rating.follow_up)),
        _buttons(rating),
    ]


def named_low_rating_blocks(rating: LowRating, catalogue: Catalogue, link: str = "") -> list[Block]:
    """Return a low rating for supervisors, who may know which agent asked which customer."""
    return [
        _named_details(rating, catalogue),
        rich_line(*_names(rating), *_dates(rating, link), *_follow_up(rating.follow_up)),
        _buttons(rating),
    ]


def closed_low_rating_blocks(rating: ClosedLowRating, catalogue: Catalogue, link: str = "") -> list[Block]:
    """Return a closed low rating for supervisors, with its note."""
    note = truncate_lines(rating.note or "", MAX_SHOWN_NOTE_LENGTH)
    parts = [*_names(rating), *_dates(rating, link), *_follow_up(rating.follow_up)]
    sections = [
        RichTextSectionElement(elements=parts),
        RichTextQuoteElement(elements=[text(note or NO_NOTE)]),
    ]
    return [_named_details(rating, catalogue), RichTextBlock(elements=sections), _buttons(rating)]


def follow_up_line(follow_up: FollowUp) -> RichTextBlock:
    """Return who a low rating is assigned to and who closed it."""
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


def _follow_up(follow_up: FollowUp) -> Iterator[RichTextElement]:
    if follow_up.taken_by and follow_up.taken_at:
        yield from _step("Assigned to ", follow_up.taken_by, follow_up.taken_at)
    if follow_up.closed_by and follow_up.closed_at:
        yield from _step("Closed by ", follow_up.closed_by, follow_up.closed_at)
    if not (follow_up.taken_by or follow_up.closed_by):
        yield text("Unassigned.")


def _step(action: str, user: str, when: datetime) -> Iterator[RichTextElement]:
    yield text(action)
    yield user_mention(user)
    yield text(" ")
    yield timestamp(when)
    yield text(". ")


def _buttons(rating: LowRating) -> ActionsBlock:
    follow_up = rating.follow_up
    labels = {SHOW_ACTION: "Show"}
    if not (follow_up.taken_by or follow_up.closed_by):
        labels[TAKE_ON_ACTION] = "Assign to me"
    if not follow_up.closed_by:
        labels[CLOSE_ACTION] = "Close with a note"
    return ActionsBlock(elements=[_button(rating, action_id, label) for action_id, label in labels.items()])


def _button(rating: LowRating, action_id: str, label: str) -> ButtonElement:
    return ButtonElement(
        action_id=action_id,
        text=label,
        value=str(rating.survey_id),
        accessibility_label=f"{label}: low rating of survey {rating.survey_id}",
    )

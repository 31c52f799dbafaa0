"""Whether a customer can be asked, and the states of the last surveys to them."""

from collections.abc import Iterator, Sequence
from typing import Final

from slack_sdk.models.blocks import RichTextBlock, RichTextElement, RichTextElementParts

from blocks.elements import (
    DATE_AND_TIME,
    Message,
    build_message,
    context,
    escape_mrkdwn,
    profile_link,
    rich_line,
    text,
    timestamp,
    user_mention,
)
from csat.surveys.limits import Denial, PreviousSurvey
from csat.surveys.states import State

STATE_LABELS: Final = {
    State.ACCEPTED: "waiting to be sent",
    State.SENDING: "on its way to X",
    State.SENT: "sent, no answer yet",
    State.REFUSED: "not sent",
    State.CANCELLED: "cancelled",
    State.UNCERTAIN: "may not have arrived",
    State.ANSWERED: "answered",
    State.EXPIRED: "sent, not answered",
}


def status_message(
    customer: str, surveys: Sequence[PreviousSurvey], denial: Denial | None, link: str = ""
) -> Message:
    """Return whether a customer can be asked now, and the last surveys to them without their ratings."""
    answer = denial_line(denial, link, "Not now.") if denial else rich_line(text("You can ask them now."))
    return build_message(
        f"{escape_mrkdwn(customer)}: {denial.sentence() if denial else 'you can ask them now.'}",
        [
            rich_line(profile_link(customer)),
            answer,
            *[rich_line(*_survey(survey)) for survey in surveys],
            *([] if surveys else [context("Nobody has asked them yet.")]),
        ],
    )


def denial_line(denial: Denial, link: str = "", heading: str = "Not sent.") -> RichTextBlock:
    """Return which limit denies a survey, since when and until when."""
    return rich_line(text(f"{heading} ", bold=True), text(denial.sentence()), *_dates(denial, link))


def _dates(denial: Denial, link: str) -> Iterator[RichTextElement]:
    if previous := denial.previous:
        yield text(" ")
        yield user_mention(previous.requester)
        yield text(" asked")
        if previous.sent_at:
            yield text(" on ")
            yield timestamp(previous.sent_at, DATE_AND_TIME)
        if link:
            yield text(", ")
            yield RichTextElementParts.Link(url=link, text="in this thread")
        yield text(".")
    if denial.retry_at:
        yield text(" You can try again from ")
        yield timestamp(denial.retry_at, DATE_AND_TIME)
        yield text(".")


def _survey(survey: PreviousSurvey) -> Iterator[RichTextElement]:
    if survey.sent_at:
        yield timestamp(survey.sent_at, DATE_AND_TIME)
        yield text(": ")
    yield user_mention(survey.requester)
    yield text(f" asked: {STATE_LABELS[survey.state]}{' (test)' if survey.test else ''}")

"""Whether a customer can be asked, and the states of the last surveys to them."""

from collections.abc import Iterator, Sequence
from typing import Final

from slack_sdk.models.blocks import RichTextBlock, RichTextElement, RichTextElementParts

from blocks.elements import (
    DATE_AND_TIME_FIRST,
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
from csat.surveys.limits import Denial, DenialReason, PreviousSurvey
from csat.surveys.states import State

STATE_LABELS: Final = {
    State.ACCEPTED: "queued",
    State.SENDING: "being sent",
    State.SENT: "sent, no answer yet",
    State.REFUSED: "not sent",
    State.CANCELLED: "canceled",
    State.UNCERTAIN: "may not have arrived",
    State.ANSWERED: "answered",
    State.EXPIRED: "no answer in two weeks",
}

CAN_BE_ASKED: Final = "You can ask them now."
CANT_BE_ASKED: Final = "Can't be asked"


def status_message(
    customer: str, surveys: Sequence[PreviousSurvey], team: str, denial: Denial | None, link: str = ""
) -> Message:
    """Return whether a customer can be asked now, and the last surveys to them without their ratings.

    `team` is the reader's workspace; people of other workspaces are not named.
    """
    return build_message(
        f"{escape_mrkdwn(customer)}: {_denial_text(denial) if denial else CAN_BE_ASKED}",
        [
            rich_line(profile_link(customer)),
            denial_line(denial, team, link) if denial else rich_line(text(CAN_BE_ASKED)),
            *[rich_line(*_survey(survey, team)) for survey in surveys],
            *([] if surveys else [context("Nobody has asked them yet.")]),
        ],
    )


def denial_message(denial: Denial, team: str) -> Message:
    """Return why a survey can't be sent now; `team` is the reader's workspace."""
    return build_message(_denial_text(denial), [denial_line(denial, team)])


def denial_line(denial: Denial, team: str, link: str = "") -> RichTextBlock:
    """Return until when a customer can't be asked, why, and who in the reader's workspace asked them."""
    return rich_line(*_until(denial), *_why(denial), *_who(denial, team, link))


def _denial_text(denial: Denial) -> str:
    return f"{CANT_BE_ASKED} now. {denial.sentence()}"


def _until(denial: Denial) -> Iterator[RichTextElement]:
    if denial.retry_at:
        yield text(f"{CANT_BE_ASKED} until ", bold=True)
        yield timestamp(denial.retry_at)
        yield text(".")
    else:
        yield text(f"{CANT_BE_ASKED} now.", bold=True)


def _why(denial: Denial) -> Iterator[RichTextElement]:
    if denial.reason is not DenialReason.COOLDOWN:  # who asked, and when, says it all
        yield text(f" {denial.sentence()}")


def _who(denial: Denial, team: str, link: str) -> Iterator[RichTextElement]:
    if previous := denial.previous:
        yield text(" ")
        yield _requester(previous, team, "Somebody in another workspace")
        yield text(" asked")
        if previous.sent_at:
            yield text(" ")
            yield timestamp(previous.sent_at)
        if link:
            yield text(", ")
            yield RichTextElementParts.Link(url=link, text="in this thread")
        yield text(".")


def _survey(survey: PreviousSurvey, team: str) -> Iterator[RichTextElement]:
    state = f"{STATE_LABELS[survey.state]}{' (test)' if survey.test else ''}"
    if survey.sent_at:
        yield timestamp(survey.sent_at, DATE_AND_TIME_FIRST)
        yield text(f": {state}, asked by ")
    else:
        yield text(f"{state.capitalize()}, asked by ")
    yield _requester(survey, team, "somebody in another workspace")


def _requester(survey: PreviousSurvey, team: str, stranger: str) -> RichTextElement:
    """Return a mention, which Slack can only show to readers of the requester's own workspace."""
    return user_mention(survey.requester) if survey.team == team else text(stranger)

"""Whether a customer can be asked, and the states of the last surveys to them."""

from collections.abc import Iterator, Sequence
from typing import Final

from slack_sdk.models.blocks import RichTextElement

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
)
from blocks.limit_denial import denial_line, denial_text, requester_mention
from csat.surveys.limits import Denial, PreviousSurvey
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


def status_message(
    customer: str, surveys: Sequence[PreviousSurvey], team: str, denial: Denial | None, link: str = ""
) -> Message:
    """Return whether a customer can be asked now, and the last surveys to them without their ratings.

    `team` is the reader's workspace; people of other workspaces are not named.
    """
    return build_message(
        f"{escape_mrkdwn(customer)}: {denial_text(denial) if denial else CAN_BE_ASKED}",
        [
            rich_line(profile_link(customer)),
            denial_line(denial, team, link) if denial else rich_line(text(CAN_BE_ASKED)),
            *[rich_line(*_survey(survey, team)) for survey in surveys],
            *([] if surveys else [context("Nobody has asked them yet.")]),
        ],
    )


def _survey(survey: PreviousSurvey, team: str) -> Iterator[RichTextElement]:
    state = f"{STATE_LABELS[survey.state]}{' (test)' if survey.test else ''}"
    if survey.sent_at:
        yield timestamp(survey.sent_at, DATE_AND_TIME_FIRST)
        yield text(f": {state}, asked by ")
    else:
        yield text(f"{state.capitalize()}, asked by ")
    yield requester_mention(survey, team, "somebody in another workspace")

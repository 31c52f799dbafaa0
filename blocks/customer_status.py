"""Whether a customer can be asked, and the states of the last surveys to them."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from slack_sdk.models.blocks import RichTextElement

from blocks.elements import (
    DATE_AND_TIME_FIRST,
    Message,
    build_message,
    context,
    escape_mrkdwn,
    one_line,
    recipient_link,
    rich_line,
    text,
    timestamp,
)
from blocks.survey_denials import denial_line, denial_text, opt_out_notes, requester_mention
from csat.reporting.formatting import pluralize
from csat.surveys.limits import Denial, PreviousSurvey
from csat.surveys.origin import Origin
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.transports import FACTS, TransportName

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

SENT_AGAIN: Final = "not confirmed, sent again"
"""It stays true once the customer answers, through whichever of the two."""
DISOWNED: Final = "said that the survey wasn't meant for them"
CHECK_CUSTOMER: Final = "Check whom you talked with before you ask again."

CAN_BE_ASKED: Final = "You can ask them now."
NOT_LOOKED_UP: Final = "No limit keeps you from asking them. X wasn't asked, as you named an ID."
LAST_TRY_FAILED: Final = "The last try failed"
CAN_BE_TRIED_AGAIN: Final = "No limit keeps you from trying again."
MESSAGES_MAY_BE_CLOSED: Final = "Probably doesn't accept your direct messages; you can still try."
OTHER_WAY: Final = "No limit keeps you from asking them by {transport}. Choose it in the form, under Send as."
ACCOUNT_PAUSED: Final = "No limit stops you, but X isn't accepting surveys ({cause}): a survey would wait."


class CustomerStatus(NamedTuple):
    """Everything known about a customer."""

    customer: Recipient
    surveys: Sequence[PreviousSurvey]
    """The last surveys to them, the newest first."""
    denial: Denial | None = None
    other_transport: TransportName | None = None
    """Another transport by which they can be asked though the denial is that of the usual one."""
    link: str = ""
    """A link to the survey that caused the denial."""
    last_failure: PreviousSurvey | None = None
    """The last of them, if X refused it because of the customer."""
    was_looked_up: bool = True
    """Whether X was asked about them."""
    receives_dm: bool | None = None
    """Whether X says that they can be messaged; None if it did not say."""
    unfit: str = ""
    """Why a person in Slack can't be a customer at all: a sentence."""
    pause_cause: str = ""
    """Why X accepts no surveys: a clause, in which "it" is X."""
    not_listed: int = 0
    """How many earlier surveys are known."""
    has_more: bool = False
    """Whether there may be still more."""


def status_message(status: CustomerStatus, reader: Origin) -> Message:
    """Return whether a customer can be asked now, and the last surveys to them without their ratings.

    People of other workspaces than the reader's are not named.
    """
    denial, possible = status.denial, _possible(status, reader.team)
    told = None if denial else status.last_failure
    return build_message(
        f"{status.customer.label}: {denial_text(denial) if denial else escape_mrkdwn(possible)}",
        [
            rich_line(recipient_link(status.customer)),
            denial_line(denial, reader, status.link) if denial else rich_line(text(possible)),
            *([rich_line(text(_other_way(status.other_transport)))] if status.other_transport else []),
            *(opt_out_notes(denial.opt_out, status.customer, reader) if denial and denial.opt_out else []),
            *[
                rich_line(*_survey(survey, reader.team, has_advice=survey != told))
                for survey in status.surveys
            ],
            *([] if status.surveys else [context("Nobody has asked them yet.")]),
            *([context(_rest(status))] if status.not_listed else []),
        ],
    )


def _possible(status: CustomerStatus, team: str) -> str:
    """Return what a survey would come to, which no limit denies."""
    if status.unfit:
        return status.unfit
    obstacles = (
        ACCOUNT_PAUSED.format(cause=status.pause_cause) if status.pause_cause else "",
        MESSAGES_MAY_BE_CLOSED if status.receives_dm is False else "",
    )
    known = " ".join(filter(None, obstacles))
    if failure := status.last_failure:
        reason = f": {one_line(failure.advice)}" if failure.team == team else "."
        return f"{LAST_TRY_FAILED}{reason} {known or CAN_BE_TRIED_AGAIN}"
    return known or (CAN_BE_ASKED if status.was_looked_up else NOT_LOOKED_UP)


def _other_way(transport: TransportName) -> str:
    return OTHER_WAY.format(transport=FACTS[transport].noun)


def _rest(status: CustomerStatus) -> str:
    at_least = "at least " if status.has_more else ""
    return f"Not listed: {at_least}{pluralize(status.not_listed, 'earlier survey')}."


def _survey(survey: PreviousSurvey, team: str, *, has_advice: bool) -> Iterator[RichTextElement]:
    sent_again = SENT_AGAIN if survey.is_replaced else ""
    label = sent_again or (DISOWNED if survey.is_disowned else STATE_LABELS[survey.state])
    yield timestamp(survey.sent_at or survey.asked_at, DATE_AND_TIME_FIRST)
    yield text(f": {label}{' (test)' if survey.test else ''}, asked by ")
    yield requester_mention(survey, team, "somebody in another workspace")
    if survey.is_disowned:
        yield text(f" · {CHECK_CUSTOMER}")
    if has_advice and survey.advice and survey.team == team and not survey.is_replaced:
        yield text(f" · {one_line(survey.advice)}")

"""Rules that deny a survey: an opt-out, and the limits per recipient and per account.

The limits are X's rules, and the operator's cooldown.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.opt_outs import OptOut
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.transports import FACTS, TransportName

DAY = timedelta(hours=24)
"""The window of the limits per account, and the longest one per recipient."""
MAX_DATETIME = datetime.max.replace(tzinfo=UTC)


class Limits(FrozenModel):
    """The limits that an operator can set."""

    daily: Mapping[TransportName, int] = {name: facts.daily_quota for name, facts in FACTS.items()}
    """How many surveys an account may send in 24 hours, by transport."""
    cooldown: timedelta = timedelta(days=7)
    allowlist: frozenset[str] = frozenset()
    """Handles, in lower case, that X allows to be surveyed more than once a day."""

    @property
    def lookback(self) -> timedelta:
        """How long ago a survey can have been sent and still count toward a limit."""
        return max(DAY, self.cooldown)


class DenialReason(StrEnum):
    """The opt-out or the limit that denies a survey; the values are stored as reasons of refusals."""

    OPTED_OUT = "OptedOut"
    PENDING = "AlreadyUnderWay"
    DAY = "AskedToday"
    COOLDOWN = "CoolingDown"
    QUOTA = "DailyLimit"
    TRANSPORT_OFF = "TransportOff"


class PreviousSurvey(FrozenModel):
    """An earlier survey to the same recipient."""

    survey_id: int
    state: State
    asked_at: datetime
    """When its requester asked for it."""
    sent_at: datetime | None
    """When X sent it; empty while it is pending."""
    test: bool
    transport: TransportName
    team: str
    """The requester's workspace, where alone their id and the channel's mean anything."""
    requester: str
    channel: str
    thread: str
    reason: str = ""
    """The name of the error or of the limit for which it was not sent."""
    advice: str = ""
    """Why it was not sent, for its requester."""
    is_replaced: bool = False
    """Whether it was uncertain and its requester sent it again, so that it may have arrived."""
    replaced_id: int | None = None
    """The id of the uncertain survey that it replaces."""
    is_disowned: bool = False
    """Whether whoever got it said that it was not meant for them."""

    @property
    def counts_toward_limits(self) -> bool:
        """Whether the survey was sent, may have been, or may still be."""
        return self.is_replaced or self.state not in (State.REFUSED, State.CANCELLED)


class Denial(FrozenModel):
    """Why a survey can't be sent."""

    reason: DenialReason
    retry_at: datetime | None = None
    """When it can be sent; empty if that is unknown, or never."""
    previous: PreviousSurvey | None = None
    """The earlier survey that the limit counts."""
    transport: TransportName | None = None
    """The only transport whose surveys it denies; None if it denies those of all."""
    opt_out: OptOut | None = None

    @classmethod
    def from_opt_out(cls, opt_out: OptOut) -> Self:
        """Return the denial of an opt-out."""
        return cls(reason=DenialReason.OPTED_OUT, opt_out=opt_out)

    @property
    def is_permanent(self) -> bool:
        """Whether neither time nor another form changes it."""
        return self.reason is DenialReason.OPTED_OUT

    def sentence(self) -> str:
        """Return the reason as a sentence, without dates."""
        if self.previous is None:
            return SENTENCES[self.reason]
        sentence = _UNSETTLED.get((self.reason, self.previous.state), SENTENCES[self.reason])
        return sentence.format(network=FACTS[self.previous.transport].network.label)


SENTENCES = {
    DenialReason.OPTED_OUT: "This customer asked not to be surveyed.",
    DenialReason.PENDING: "Another survey to this customer is on its way.",
    DenialReason.DAY: "X allows one survey per customer in 24 hours.",
    DenialReason.COOLDOWN: "This customer was asked recently.",
    DenialReason.TRANSPORT_OFF: "This app no longer sends surveys that way. Choose another and try again.",
    DenialReason.QUOTA: "The limit of surveys in 24 hours is used up.",
}


_MAY_NOT_HAVE_ARRIVED = "Another survey to this customer may not have arrived."
_UNSETTLED: Mapping[tuple[DenialReason, State | None], str] = {
    (DenialReason.PENDING, State.ACCEPTED): "Another survey to this customer waits for {network}.",
    (DenialReason.COOLDOWN, State.UNCERTAIN): _MAY_NOT_HAVE_ARRIVED,
    (DenialReason.COOLDOWN, State.REFUSED): _MAY_NOT_HAVE_ARRIVED,  # it was sent again
}
"""The sentences about a survey of which nobody knows whether its customer was asked."""


class Denied(Exception):
    """An opt-out or a limit denies a survey."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.reason)
        self.denial = denial


def find_denial(
    recipient: Recipient, previous: Sequence[PreviousSurvey], limits: Limits, now: datetime
) -> Denial | None:
    """Return the denial that lasts longest among those of the previous surveys, if any.

    A survey that was sent again gives way to the one that replaces it.
    """
    replaced = {survey.replaced_id for survey in previous}
    last = [survey for survey in previous if survey.survey_id not in replaced]
    denials = [denial for survey in last for denial in _denials(recipient, survey, limits, now)]
    return max(denials, key=lambda denial: denial.retry_at or MAX_DATETIME, default=None)


def _denials(recipient: Recipient, survey: PreviousSurvey, limits: Limits, now: datetime) -> list[Denial]:
    if survey.sent_at is None:
        return [Denial(reason=DenialReason.PENDING, previous=survey)]
    is_allowlisted = bool(recipient.handle) and str(recipient.handle).lower() in limits.allowlist
    ends = {}
    if not is_allowlisted:
        ends[DenialReason.DAY] = survey.sent_at + FACTS[survey.transport].recipient_window
    if not survey.test:
        ends[DenialReason.COOLDOWN] = survey.sent_at + limits.cooldown
    return [Denial(reason=reason, retry_at=end, previous=survey) for reason, end in ends.items() if end > now]

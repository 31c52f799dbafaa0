"""How often a customer may be asked, and how much an account may send: X's rules, and our own courtesy."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.recipients import Recipient
from csat.surveys.states import State

DAY = timedelta(hours=24)
"""X's window: one survey per recipient, and so many per account (POST feedback/create)."""


MAX_DATETIME = datetime.max.replace(tzinfo=UTC)


class Limits(FrozenModel):
    """What an operator may set."""

    daily: int = 1_000
    cooldown: timedelta = timedelta(days=7)
    allowlist: frozenset[str] = frozenset()
    """Handles, in lower case, that X lets be asked more than once a day."""

    @property
    def lookback(self) -> timedelta:
        """How far back an earlier survey can matter."""
        return max(DAY, self.cooldown)


class DenialReason(StrEnum):
    """Which limit stands in the way; also the name of a refusal in the figures."""

    PENDING = "AlreadyUnderWay"
    DAY = "AskedToday"
    COOLDOWN = "CoolingDown"
    QUOTA = "DailyLimit"


class PreviousSurvey(FrozenModel):
    """One time that a customer was asked."""

    survey_id: int
    state: State
    sent_at: datetime | None
    """When X took it; empty while it is under way."""
    test: bool
    requester: str
    channel: str
    thread: str

    @property
    def counts_toward_limits(self) -> bool:
        """Whether the customer was asked, or is about to be."""
        return self.state not in (State.REFUSED, State.CANCELLED)


class Denial(FrozenModel):
    """Why a survey can't be sent now."""

    reason: DenialReason
    retry_at: datetime | None = None
    """From when it is possible; empty where that depends on a survey that is under way."""
    previous: PreviousSurvey | None = None
    """The survey that stands in the way."""

    def sentence(self) -> str:
        """Return what stands in the way, without its dates."""
        return SENTENCES[self.reason]


SENTENCES = {
    DenialReason.PENDING: "A survey to this customer is under way already.",
    DenialReason.DAY: "This customer was asked in the last 24 hours, and X allows one survey a day.",
    DenialReason.COOLDOWN: "This customer was asked lately. "
    "Asking too often annoys people and spoils the figures.",
    DenialReason.QUOTA: "Your account has sent all the surveys that X allows in 24 hours.",
}


class Denied(Exception):
    """A limit stands in the way of a survey."""

    def __init__(self, find_denial: Denial) -> None:
        super().__init__(find_denial.reason)
        self.denial = find_denial


def find_denial(
    recipient: Recipient, asked: Sequence[PreviousSurvey], limits: Limits, now: datetime
) -> Denial | None:
    """Return which of the earlier surveys to a recipient stands in the way for longest, if any does."""
    standing = [why for one in asked for why in _in_the_way(recipient, one, limits, now)]
    return max(standing, key=lambda why: why.retry_at or MAX_DATETIME, default=None)


def check_recipient(
    recipient: Recipient, asked: Sequence[PreviousSurvey], limits: Limits, now: datetime
) -> None:
    """Raise `Denied` where one of the earlier surveys to a recipient stands in the way."""
    if standing := find_denial(recipient, asked, limits, now):
        raise Denied(standing)


def _in_the_way(recipient: Recipient, one: PreviousSurvey, limits: Limits, now: datetime) -> list[Denial]:
    if one.sent_at is None:
        return [Denial(reason=DenialReason.PENDING, previous=one)]
    exempt = bool(recipient.handle) and str(recipient.handle).lower() in limits.allowlist
    rules = [
        *([] if exempt else [(DenialReason.DAY, one.sent_at + DAY)]),
        *([] if one.test else [(DenialReason.COOLDOWN, one.sent_at + limits.cooldown)]),
    ]
    return [Denial(reason=reason, retry_at=end, previous=one) for reason, end in rules if end > now]

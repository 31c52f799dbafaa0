"""Check what became of each survey: X's record against the database and the messages in Slack."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Final, NamedTuple

from bench.torture.agents import Users
from bench.torture.db_reader import SurveyRow
from bench.torture.harness import Harness
from csat.db.survey_records import SENT_AGAIN

CONFIRMATION: Final = re.compile(r"sent a survey to ([^\s:]+)")
REFUSAL: Final = re.compile(r"The survey to (\S+) was not sent")
DENIAL: Final = re.compile(r"The survey to (\S+) was not sent\.")
"""Says that no survey was sent; that of one sent again leaves open whether the first one was."""
NO_RESENDS: Final[Mapping[str, int]] = MappingProxyType({})
SENT_STATES: Final = ("sent", "answered", "expired")
OPEN_STATES: Final = ("accepted", "sending", "uncertain")


@dataclass
class CaseResult:
    """Number of surveys, unless stated otherwise."""

    kills: int = 0
    """Number of kills, freezes, restarts or locks."""
    submitted: int = 0
    acknowledged: int = 0
    sent_once: int = 0
    duplicated: int = 0
    resent: int = 0
    """Sent more than once because the requester pressed *Send again*."""
    refused: int = 0
    """Not sent, and the requester was notified."""
    lost: int = 0
    """Acknowledged, not sent, and the requester was not notified."""
    uncertain: int = 0
    """Uncertain at some time."""
    settled_right: int = 0
    """Uncertain, then settled as X recorded it."""
    settled_wrong: int = 0
    told_wrongly: int = 0
    """The requester was last told that it was sent, or that it was not, and X's record says otherwise."""
    confirmed: int = 0
    confirmed_twice: int = 0
    unconfirmed: int = 0
    """Sent, but not confirmed in Slack."""
    responses: int = 0
    """Responses in X's record."""
    responses_stored: int = 0
    """Responses that the database has just as X recorded them."""
    failures: list[str] = field(default_factory=list)

    def __add__(self, other: "CaseResult") -> "CaseResult":
        return CaseResult(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        )

    @property
    def passed(self) -> bool:
        """True if nothing is lost, duplicated, told wrongly or left open, and every response is stored."""
        broken = self.lost or self.duplicated or self.settled_wrong or self.told_wrongly or self.failures
        return not broken and self.responses == self.responses_stored


class Evidence(NamedTuple):
    """Everything known about the surveys to one recipient."""

    recipient: str
    is_acknowledged: bool
    resends: int
    """How often the requester pressed *Send again*."""
    feedbacks: int
    """How many X recorded."""
    confirmations: int
    refusals: int
    was_last_confirmed: bool | None
    """Whether the newest message says that it was sent; None without a message."""
    rows: list[SurveyRow]

    @property
    def is_lost(self) -> bool:
        """Acknowledged, but neither sent nor refused, nor left to its requester."""
        is_told = self.refusals or any(row.is_left_to_requester for row in self.rows)
        return self.is_acknowledged and not self.feedbacks and not is_told

    @property
    def is_resent(self) -> bool:
        """Sent more than once, as the requester wanted."""
        return 1 < self.feedbacks <= 1 + self.resends

    @property
    def is_duplicated(self) -> bool:
        """Sent more often than the requester wanted."""
        return self.feedbacks > 1 and not self.is_resent

    @property
    def is_told_wrongly(self) -> bool:
        """True if what the requester was last told is not what X recorded."""
        return self.was_last_confirmed is not None and self.was_last_confirmed != (self.feedbacks > 0)

    @property
    def is_open(self) -> bool:
        """True if a survey is in a state that should not last."""
        return any(row.state in OPEN_STATES and not row.is_left_to_requester for row in self.rows)

    @property
    def is_unconfirmed(self) -> bool:
        """Sent, but not confirmed, though nobody has to say first whether it arrived."""
        is_left = self.resends or any(row.is_left_to_requester for row in self.rows)
        return self.feedbacks > 0 and not self.confirmations and not is_left

    def settlements(self) -> list[bool | None]:
        """For each survey once uncertain: settled as X recorded it? None if the requester settled it."""
        replaced = sum(row.reason == SENT_AGAIN.reason for row in self.rows)
        return [self._is_settled_right(row, replaced) for row in self.rows if row.was_uncertain]

    def _is_settled_right(self, row: SurveyRow, replaced: int) -> bool | None:
        if row.reason == SENT_AGAIN.reason:
            return None
        if replaced and row.state == "refused" and self.feedbacks <= replaced:
            return None  # X may have recorded the surveys that the requester replaced
        if row.is_left_to_requester and (row.is_in_thread or self.feedbacks <= replaced):
            return None
        return row.state in SENT_STATES if self.feedbacks else row.state == "refused"

    def __str__(self) -> str:
        states = ", ".join(f"{row.state} {row.reason or ''}".strip() for row in self.rows)
        return (
            f"{self.recipient}: {self.feedbacks}x at X, confirmed {self.confirmations}x, "
            f"refused {self.refusals}x, in the database: {states or 'nothing'}"
        )


def check_surveys(
    harness: Harness, users: Users, kills: int = 0, resends: Mapping[str, int] = NO_RESENDS
) -> CaseResult:
    """Check all surveys of a settled case; `resends` counts presses of *Send again* by recipient."""
    result = CaseResult(kills=kills, submitted=len(users.submitted), acknowledged=len(users.acknowledged))
    for evidence in _collect(harness, users, resends):
        _add(result, evidence)
    unexpected = set(harness.delivered_to()) - set(users.submitted)
    result.failures += [f"{recipient}: sent without being submitted" for recipient in sorted(unexpected)]
    return result


def _collect(harness: Harness, users: Users, resends: Mapping[str, int]) -> Iterator[Evidence]:
    feedbacks, acknowledged = Counter(harness.delivered_to()), set(users.acknowledged)
    confirmations, refusals = _message_times(harness, CONFIRMATION), _message_times(harness, REFUSAL)
    denials = _message_times(harness, DENIAL)
    rows: dict[str, list[SurveyRow]] = {}
    for row in harness.db.list_surveys():
        rows.setdefault(harness.as_typed(row.recipient), []).append(row)
    for recipient in users.submitted:
        yield Evidence(
            recipient,
            recipient in acknowledged,
            resends.get(recipient, 0),
            feedbacks[recipient],
            len(confirmations[recipient]),
            len(refusals[recipient]),
            _was_last_confirmed(confirmations[recipient], denials[recipient]),
            rows.get(recipient, []),
        )


def _add(result: CaseResult, evidence: Evidence) -> None:
    settlements = evidence.settlements()
    result.sent_once += evidence.feedbacks == 1
    result.duplicated += evidence.is_duplicated
    result.resent += evidence.is_resent
    result.refused += not evidence.feedbacks and evidence.refusals > 0
    result.lost += evidence.is_lost
    result.uncertain += len(settlements)
    result.settled_right += settlements.count(True)
    result.settled_wrong += settlements.count(False)
    result.told_wrongly += evidence.is_told_wrongly
    result.confirmed += evidence.confirmations > 0
    result.confirmed_twice += evidence.confirmations > max(1, evidence.feedbacks)
    result.unconfirmed += evidence.is_unconfirmed
    is_wrong = evidence.is_told_wrongly or False in settlements
    if evidence.is_duplicated or evidence.is_lost or evidence.is_open or is_wrong:
        result.failures.append(str(evidence))


def _message_times(harness: Harness, pattern: re.Pattern[str]) -> defaultdict[str, list[str]]:
    """Return the `ts` of the messages in Slack that match, by recipient."""
    times = defaultdict[str, list[str]](list)
    for channel in harness.workspace.channels.values():
        for message in channel.messages:
            if match := pattern.search(message.text):
                times[harness.as_typed(match[1])].append(message.ts)
    return times


def _was_last_confirmed(confirmations: list[str], denials: list[str]) -> bool | None:
    if not (confirmations or denials):
        return None
    return max(confirmations, default="") > max(denials, default="")

"""What became of every survey: X's own record says, and next to it what people were told."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Final

from bench.torture.db_reader import Row
from bench.torture.harness import Stage
from bench.torture.users import Crowd
from sandbox.slack import Workspace
from sandbox.x import FakeX

CONFIRMED: Final = re.compile(r"asked (\S+) for feedback")
NOT_SENT: Final = re.compile(r"The survey to (\S+) was not sent")
NOBODY: Final[Mapping[str, int]] = MappingProxyType({})
GIVEN_UP: Final = "SentAgain"
SENT: Final = ("sent", "answered", "expired")


@dataclass
class Verdict:
    """How many surveys; everything but `kills` and the names of the wrong ones counts surveys."""

    kills: int = 0
    submitted: int = 0
    acknowledged: int = 0
    sent_once: int = 0
    sent_twice: int = 0
    again: int = 0
    """Sent once more because the requester pressed *Send again*."""
    refused: int = 0
    """Not sent, and the requester was told so."""
    lost: int = 0
    """Acknowledged, not sent, and nobody was told."""
    uncertain: int = 0
    right: int = 0
    wrong: int = 0
    confirmed: int = 0
    confirmed_twice: int = 0
    unconfirmed: int = 0
    """Sent, and not confirmed in Slack."""
    answered: int = 0
    """Answered, as X has recorded it."""
    known: int = 0
    """The ledger has that answer, the same and once."""
    wrong_ones: list[str] = field(default_factory=list)

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        )

    @property
    def fine(self) -> bool:
        """Whether nothing was lost, sent twice, settled wrong or left open, and every answer is known."""
        unknown = self.answered - self.known
        return not (self.lost or self.sent_twice or self.wrong or self.wrong_ones or unknown)


def judge(stage: Stage, crowd: Crowd, again: Mapping[str, int] = NOBODY) -> Verdict:
    """Judge a case when all is quiet; `again` says how often *Send again* was pressed of whom."""
    records, confirmed, refused = _recorded(stage.x), *_told(stage.workspace)
    rows: dict[str, list[Row]] = {}
    for row in stage.book.rows():
        rows.setdefault(row.customer, []).append(row)
    verdict = Verdict(submitted=len(crowd.submitted), acknowledged=len(crowd.acknowledged))
    acknowledged = set(crowd.acknowledged)
    for customer in crowd.submitted:
        _judge_one(
            verdict,
            customer,
            records[customer],
            rows.get(customer, []),
            told=(confirmed[customer], refused[customer]),
            acknowledged=customer in acknowledged,
            again=again.get(customer, 0),
        )
    strangers = records.keys() - set(crowd.submitted)
    verdict.wrong_ones += [f"{customer}: sent, and nobody had asked for it" for customer in sorted(strangers)]
    return verdict


def _judge_one(
    verdict: Verdict,
    customer: str,
    records: int,
    rows: list[Row],
    told: tuple[int, int],
    *,
    acknowledged: bool,
    again: int,
) -> None:
    confirmed, refused = told
    pressed = 1 < records <= 1 + again
    verdict.again += pressed
    verdict.sent_once += records == 1
    verdict.sent_twice += (twice := records > 1 and not pressed)
    verdict.lost += (lost := acknowledged and not records and not refused)
    verdict.refused += not records and refused > 0
    verdict.confirmed += confirmed > 0
    verdict.confirmed_twice += confirmed > max(1, records)
    verdict.unconfirmed += records > 0 and not confirmed and not again
    given_up = sum(row.reason == GIVEN_UP for row in rows)
    settled = [_settled(row, records, given_up) for row in rows if row.doubted]
    verdict.uncertain += len(settled)
    verdict.right += sum(one is True for one in settled)
    verdict.wrong += (wrong := sum(one is False for one in settled))
    left = [row.state for row in rows if row.state in ("accepted", "sending", "uncertain")]
    if twice or lost or wrong or left:
        stands = ", ".join(f"{row.state} {row.reason or ''}".strip() for row in rows)
        said = f"{records}x at X, confirmed {confirmed}x, refused {refused}x"
        verdict.wrong_ones.append(f"{customer}: {said}, in the ledger: {stands or 'nothing'}")


def _settled(row: Row, records: int, given_up: int) -> bool | None:
    """Tell whether an uncertain survey was settled as X's record is; `None` where its requester did.

    What X has recorded may be what the requester gave up.
    """
    if row.reason == GIVEN_UP or (given_up and row.state == "refused" and records <= given_up):
        return None
    return row.state in SENT if records else row.state == "refused"


def _recorded(x: FakeX) -> Counter[str]:
    names = {customer.id: f"@{customer.handle}" for customer in x.customers}
    return Counter(names.get(it.to_user_id, it.to_user_id) for it in x.feedbacks)


def _told(workspace: Workspace) -> tuple[Counter[str], Counter[str]]:
    """Count by customer what was confirmed, and what was said not to be sent."""
    texts = [message.text for channel in workspace.channels.values() for message in channel.messages]
    found = [
        Counter(match[1] for text in texts if (match := said.search(text))) for said in (CONFIRMED, NOT_SENT)
    ]
    return found[0], found[1]

"""`make bench-growth`: what accepting, claiming and `/csat status` cost in a small ledger and in a large one.

Both are filled with the same kind of past: 25 accounts, four surveys to each customer, one survey every seven
seconds, so that the last day is the same in both. First the large one makes reports. Then both do the same
work in turns, through the ledger as the app uses it: every commit is as durable as there.
"""

import asyncio
import contextlib
import gc
import random
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bench.growth import reports, seed
from csat.db import limits, outbox, send_queue, submissions
from csat.db.database import Database
from csat.db.survey_records import SurveyRecord
from csat.surveys.limits import Limits
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient
from csat.surveys.survey import Origin, Receipt, Survey
from tests.databases import KINDS, Databases

BENCH = Path(__file__).parent.parent
T = TypeVar("T")
Costs = dict[str, list[float]]
"""For each kind of work, how long each time took; seconds."""

TARGET = 1.3
WARM_UP = 100
BYTES_A_ROW = 1_200
LEASE_OVER = submissions.CLAIM + timedelta(seconds=1)
BETWEEN = timedelta(seconds=20)
HANDLE = "mira_k"
LIMITS = Limits(daily=10**9, cooldown=timedelta(0), allowlist=frozenset({HANDLE}))
"""They are asked for as always, and nobody is turned away."""
SURVEY = Survey(
    metric=Metric.CSAT,
    variant=0,
    display_name="Northwind",
    recipient=Recipient(handle=HANDLE, id="1820000000000000011"),
    message=seed.MESSAGE,
    privacy_url="https://northwind.example/privacy",
    external_id="ticket_5555",
    test=False,
)


class Side:
    """One ledger, and what work in it has cost so far."""

    def __init__(self, url: str, rows: int) -> None:
        self.rows = rows
        self.costs: Costs = defaultdict(list)
        self.database = Database(url)

    async def work(self, number: int, share: float, now: datetime) -> None:
        """Look a customer up, ask them, and send it; `share` is how far down the list they stand."""
        account, key = seed.customer(int(share * self.rows), self.rows)
        await self._timed("/csat status", self.database.read(limits.list_previous, account, key))
        submission = submissions.Submission(f"new {number}", SURVEY, _origin(now), account, "one", key)
        await self._timed("accept", self.database.run(submissions.accept, submission, LIMITS, now))
        late = now + LEASE_OVER
        (entry,) = await self._timed("claim", self.database.run(send_queue.claim, "two", late, 8))
        await self._timed("begin, sent, told", self._send(entry, late))

    async def _send(self, entry: SurveyRecord, now: datetime) -> None:
        attempt = await self.database.run(send_queue.begin_attempt, entry, "two", now)
        assert attempt  # noqa: S101 - nobody else is there
        receipt = Receipt(
            id=str(entry.id), dm_id="1", to_user_id="1", question_variant_id=0, created_at=now, updated_at=now
        )
        notification = await self.database.run(send_queue.mark_sent, entry.id, attempt, receipt, now)
        assert notification  # noqa: S101 - same
        await self.database.run(outbox.mark_sent, notification, "C1", "1.2", now)

    async def _timed(self, name: str, work: Awaitable[T]) -> T:
        begun = time.perf_counter()
        done = await work
        self.costs[name].append(time.perf_counter() - begun)
        return done


def main(
    *,
    rows: Annotated[int, typer.Option(help="Surveys in the large ledger.")] = 10_000_000,
    small: Annotated[int, typer.Option(help="Surveys in the small one.")] = 10_000,
    rounds: Annotated[int, typer.Option(help="How often each kind of work is done in each.")] = 2_000,
    kind: Annotated[str, typer.Option("--on", help="sqlite or postgresql.")] = "sqlite",
    folder: Annotated[Path, typer.Option(help="Where the databases are while it runs.")] = BENCH,
) -> None:
    """Fill a small and a large ledger, work in both by turns, and print what that costs."""
    if kind not in KINDS or shutil.disk_usage(folder).free < rows * BYTES_A_ROW:
        typer.echo(
            f"{rows:,} surveys need {rows * BYTES_A_ROW / 1e9:.0f} GB in {folder}, on sqlite or postgresql."
        )
        raise typer.Exit(1)
    now = datetime.now(UTC)
    with contextlib.ExitStack() as stack:
        urls = {count: stack.enter_context(_database(kind, folder)) for count in (small, rows)}
        for count, url in urls.items():
            begun = time.monotonic()
            size = seed.fill(url, count, now)
            typer.echo(
                f"{count:>12,} surveys: {size / 1e6:,.0f} MB, filled in {time.monotonic() - begun:.0f} s"
            )
        sides = [Side(url, count) for count, url in urls.items()]
        for side in sides:
            stack.callback(side.database.close)
        report_costs = asyncio.run(reports.measure(sides[-1].database, now))
        asyncio.run(_measure(sides, rounds, now))
        _report(*sides)
        reports.tell(report_costs, urls[rows], now)


async def _measure(sides: list[Side], rounds: int, now: datetime) -> None:
    chance = random.Random(1)  # noqa: S311 - the same customers at every run
    gc.disable()
    for number in range(WARM_UP + rounds):
        if number == WARM_UP:
            for side in sides:
                side.costs.clear()
        share = chance.random()
        for side in sides if number % 2 else reversed(sides):
            await side.work(number, share, now + number * BETWEEN)


def _report(small: Side, large: Side) -> None:
    heads = (f"{small.rows:,}", f"{large.rows:,}", "ratio", f"target {TARGET}")
    typer.echo(f"\n{'ms each: median (mean)':<24}{heads[0]:>18}{heads[1]:>18}{heads[2]:>8}  {heads[3]}")
    for name, costs in small.costs.items():
        pair = [costs, large.costs[name]]
        medians = [statistics.median(times) * 1000 for times in pair]
        cells = "".join(
            f"{f'{median:.2f} ({statistics.mean(times) * 1000:.2f})':>18}"
            for median, times in zip(medians, pair, strict=True)
        )
        ratio = medians[1] / medians[0]
        typer.echo(f"{name:<24}{cells}{ratio:>8.2f}  {'reached' if ratio <= TARGET else 'not reached'}")


@contextlib.contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    """Make a database, yield its URL, and throw it away."""
    with tempfile.TemporaryDirectory(prefix="run-growth-", dir=folder) as name:
        databases = Databases(Path(name))
        yield databases.make(kind, Path(name))
        databases.stop()


def _origin(now: datetime) -> Origin:
    return Origin(
        team="T1",
        channel="C012AB3CD",
        thread="1700000000.000100",
        requester="U012AB3CD",
        response_url="https://hooks.slack.com/commands/T1/1/a",
        received_at=now,
    )


if __name__ == "__main__":
    typer.run(main)

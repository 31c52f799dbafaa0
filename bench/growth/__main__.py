"""`make bench-growth`: what transactions and reports cost in a large database compared with a small one.

Both are filled alike: 25 accounts, four surveys per recipient, one survey every seven seconds, so that the
last day is the same in both. First reports are made from the large one. Then both run the same transactions
in turn, through `Database` as in the app, so that each commit is as durable.

The first table shows milliseconds per transaction in the small and in the large database, their ratio, and
whether it meets the target. The second shows the time of each report, and the last lines which indexes its
queries use.
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

from bench.compared_apps import BENCH
from bench.growth import reports, seed
from bench.made_up_values import DISPLAY_NAME, MESSAGE, PRIVACY_URL
from csat.db import attempt_outcomes, limits, outbox, send_queue, submissions
from csat.db.database import Database
from csat.db.survey_records import SurveyRecord
from csat.surveys.limits import Limits
from csat.surveys.origin import Origin
from csat.surveys.questions import Metric
from csat.surveys.receipt import Receipt
from csat.surveys.recipients import XAccount
from csat.surveys.survey import Survey
from csat.surveys.transports import TransportName
from csat.timeouts import Timeouts
from tests.databases import KINDS, Databases

T = TypeVar("T")

MAX_RATIO = 1.3
WARM_UP_ROUNDS = 100
BYTES_PER_SURVEY = 1_200
LEASE_EXPIRY = submissions.CLAIM_LEASE + timedelta(seconds=1)
ROUND_INTERVAL = timedelta(seconds=20)
HANDLE = "mira_k"
LIMITS = Limits(daily={TransportName.X_CARD: 10**9}, cooldown=timedelta(0), allowlist=frozenset({HANDLE}))
"""They are checked as always, but deny nothing."""
SURVEY = Survey(
    transport=TransportName.X_CARD,
    metric=Metric.CSAT,
    variant=0,
    display_name=DISPLAY_NAME,
    recipient=XAccount(handle=HANDLE, id="1820000000000000011"),
    message=MESSAGE,
    privacy_url=PRIVACY_URL,
    external_id="ticket_5555",
    test=False,
)


class TimedDatabase:
    """A database, and how long its transactions took."""

    def __init__(self, url: str, surveys: int) -> None:
        self.surveys = surveys
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.database = Database(url, Timeouts())

    async def send_survey(self, number: int, position: float, now: datetime) -> None:
        """Run the transactions of one survey; `position` selects the recipient, from 0 to 1."""
        account, key = seed.recipient(int(position * self.surveys), self.surveys)
        await self._time(
            "/csat status", self.database.read(limits.list_previous, account, key, SURVEY.recipient)
        )
        submission = submissions.Submission(f"new {number}", SURVEY, _origin(now), account, "one", key)
        await self._time("accept", self.database.run(submissions.accept, submission, LIMITS, now))
        later = now + LEASE_EXPIRY
        (record,) = await self._time(
            "claim", self.database.run(send_queue.claim, (account,), "two", later, 8)
        )
        await self._time("begin, mark sent, mark notified", self._send(record, later))

    async def _send(self, record: SurveyRecord, now: datetime) -> None:
        attempt = await self.database.run(send_queue.begin_attempt, record, "two", now)
        assert attempt  # noqa: S101 - there is no other instance
        receipt = Receipt(
            transport=TransportName.X_CARD,
            id=str(record.id),
            dm_id="1",
            to_user_id="1",
            question_variant_id=0,
            created_at=now,
            updated_at=now,
        )
        notification = await self.database.run(attempt_outcomes.mark_sent, record.id, attempt, receipt, now)
        assert notification  # noqa: S101 - same
        await self.database.run(outbox.mark_sent, notification, "C1", "1.2", now)

    async def _time(self, name: str, transaction: Awaitable[T]) -> T:
        started_at = time.perf_counter()
        result = await transaction
        self.seconds[name].append(time.perf_counter() - started_at)
        return result


def main(
    *,
    rows: Annotated[int, typer.Option(help="Surveys in the large database.")] = 10_000_000,
    small: Annotated[int, typer.Option(help="Surveys in the small one.")] = 10_000,
    rounds: Annotated[int, typer.Option(help="How often each transaction is measured.")] = 2_000,
    kind: Annotated[str, typer.Option("--on", help="sqlite or postgresql.")] = "sqlite",
    folder: Annotated[Path, typer.Option(help="Folder for the databases; they are deleted.")] = BENCH,
) -> None:
    """Fill a small and a large database, run the same transactions in both, and print what they cost."""
    if kind not in KINDS or shutil.disk_usage(folder).free < rows * BYTES_PER_SURVEY:
        size = rows * BYTES_PER_SURVEY / 1e9
        typer.echo(f"{rows:,} surveys need {size:.0f} GB in {folder}, on sqlite or postgresql.")
        raise typer.Exit(1)
    now = datetime.now(UTC)
    with contextlib.ExitStack() as stack:
        urls = {surveys: stack.enter_context(_temporary_database(kind, folder)) for surveys in (small, rows)}
        for surveys, url in urls.items():
            _fill(url, surveys, now)
        databases = [TimedDatabase(url, surveys) for surveys, url in urls.items()]
        for timed in databases:
            stack.callback(timed.database.close)
        timings = asyncio.run(reports.measure_reports(databases[-1].database, now))
        asyncio.run(_measure_transactions(databases, rounds, now))
        _print_transactions(*databases)
        reports.print_reports(timings, urls[rows], now)


def _fill(url: str, surveys: int, now: datetime) -> None:
    started_at = time.monotonic()
    size = seed.fill(url, surveys, now)
    seconds = time.monotonic() - started_at
    typer.echo(f"{surveys:>12,} surveys: {size / 1e6:,.0f} MB, filled in {seconds:.0f} s")


async def _measure_transactions(databases: list[TimedDatabase], rounds: int, now: datetime) -> None:
    rng = random.Random(1)  # noqa: S311 - the same recipients in each run
    gc.disable()
    for number in range(WARM_UP_ROUNDS + rounds):
        if number == WARM_UP_ROUNDS:
            for timed in databases:
                timed.seconds.clear()
        position = rng.random()
        for timed in databases if number % 2 else reversed(databases):
            await timed.send_survey(number, position, now + number * ROUND_INTERVAL)


def _print_transactions(small: TimedDatabase, large: TimedDatabase) -> None:
    typer.echo(
        f"\n{'ms: median (mean)':<32}{f'{small.surveys:,}':>18}{f'{large.surveys:,}':>18}{'ratio':>8}"
        f"  target {MAX_RATIO}"
    )
    for name in small.seconds:
        milliseconds = [[seconds * 1000 for seconds in timed.seconds[name]] for timed in (small, large)]
        medians = [statistics.median(times) for times in milliseconds]
        means = [statistics.mean(times) for times in milliseconds]
        cells = "".join(
            f"{f'{median:.2f} ({mean:.2f})':>18}" for median, mean in zip(medians, means, strict=True)
        )
        ratio = medians[1] / medians[0]
        typer.echo(f"{name:<32}{cells}{ratio:>8.2f}  {'met' if ratio <= MAX_RATIO else 'MISSED'}")


@contextlib.contextmanager
def _temporary_database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new database that is deleted afterwards."""
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

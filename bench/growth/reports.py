"""The cost of reports in a large database: the time of each, and per survey that it counts.

Their queries read a single index that covers all they count, and no sums are stored: so nothing can get out
of date, and a late response is written in one place only. PostgreSQL can use an index-only scan only where
VACUUM has run since the rows were written; in production autovacuum does that, here `seed.fill`.
"""

import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy
import typer
from sqlalchemy import Connection, Engine

from csat.db.database import Database
from csat.reporting import report_queries
from csat.reporting.periods import last_days
from csat.reporting.report_builder import fetch_report
from csat.reporting.report_model import Filters
from csat.surveys.questions import Metric
from tests.plans import Plans

PERIOD_DAYS = (7, 30, 90)
ROUNDS = 15
MAX_SECONDS = 1.0
"""For the report of a million surveys."""
FILTERS = Filters(team="T1", metric=Metric.CSAT)
UTC = ZoneInfo("UTC")
INDEX_NAMES = ("ix_surveys", "follow_ups")
"""Parts of a query plan's lines that show how rows are found."""


class ReportTimings(NamedTuple):
    """How many surveys a report counts, and how many seconds it took in each round."""

    days: int
    surveys: int
    previous_surveys: int
    """Surveys in the period before, for the comparison."""
    seconds: list[float]


async def measure_reports(database: Database, now: datetime) -> list[ReportTimings]:
    """Make the report of each period several times, in turn."""
    timings = [await _count_surveys(database, days, now) for days in PERIOD_DAYS]
    for _ in range(ROUNDS):
        for timing in timings:
            started_at = time.perf_counter()
            await fetch_report(database, FILTERS, last_days(timing.days, now, UTC), now)
            timing.seconds.append(time.perf_counter() - started_at)
    return timings


async def _count_surveys(database: Database, days: int, now: datetime) -> ReportTimings:
    report = await fetch_report(database, FILTERS, last_days(days, now, UTC), now)
    return ReportTimings(days, report.current.sent, report.previous.sent, [])


def print_reports(timings: list[ReportTimings], url: str, now: datetime) -> None:
    """Print the median times, and which indexes the queries use."""
    header = f"{'report':<12}{'surveys':>12}{'previous':>12}{'median ms':>12}{'us/survey':>13}"
    typer.echo(f"\n{header}  target {MAX_SECONDS:.0f} s")
    for timing in timings:
        median = statistics.median(timing.seconds)
        per_survey = median / max(timing.surveys + timing.previous_surveys, 1) * 1_000_000
        typer.echo(
            f"{f'{timing.days} days':<12}{timing.surveys:>12,}{timing.previous_surveys:>12,}"
            f"{median * 1000:>12.0f}{per_survey:>13.2f}  {'met' if median < MAX_SECONDS else 'MISSED'}"
        )
    engine = sqlalchemy.create_engine(url)
    week = last_days(7, now - timedelta(days=1), UTC)
    queries: dict[str, Callable[[Connection], object]] = {
        "count_by_group": partial(report_queries.count_by_group, filters=FILTERS, period=week, now=now),
        "count_all": partial(report_queries.count_all, filters=FILTERS, period=week, now=now),
        "count_low_ratings": partial(report_queries.count_low_ratings, filters=FILTERS, period=week),
    }
    for name, query in queries.items():
        typer.echo(f"{name}: {_explain(engine, query)}")
    engine.dispose()


def _explain(engine: Engine, query: Callable[[Connection], object]) -> str:
    (plan,) = Plans(engine).explain(query).values()
    lines = [line for line in plan.splitlines() if any(name in line for name in INDEX_NAMES)]
    return "; ".join(line.strip(" ->") for line in lines)

"""What reports cost in a large ledger: the time of each, and of each survey that it counts.

They read one index, which holds all that they count, and no sums are kept beside it: what is shown can't go
wrong, and a late answer needs no second place to be noted in. PostgreSQL reads an index alone where VACUUM
has been since its rows were written; autovacuum sees to that in life, and `seed.fill` here.
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
from csat.reporting import queries
from csat.reporting.periods import last_days
from csat.reporting.report_builder import fetch_report
from csat.reporting.reports import Filters
from csat.surveys.questions import Metric
from tests.plans import Plans

DAYS = (7, 30, 90)
ROUNDS = 15
TARGET = 1.0
"""Seconds for the report of a million surveys."""
CSAT = Filters(team="T1", metric=Metric.CSAT)
UTC = ZoneInfo("UTC")
WAYS = ("ix_surveys", "follow_ups")
"""What tells in a plan by which way rows are found."""


class Cost(NamedTuple):
    """What a report counted, and how many seconds each round took."""

    days: int
    counted: int
    before: int
    times: list[float]


async def measure(database: Database, now: datetime) -> list[Cost]:
    """Make the report of each period again and again, by turns."""
    costs = [await _first(database, days, now) for days in DAYS]
    for _ in range(ROUNDS):
        for cost in costs:
            begun = time.perf_counter()
            await fetch_report(database, CSAT, last_days(cost.days, now, UTC))
            cost.times.append(time.perf_counter() - begun)
    return costs


async def _first(database: Database, days: int, now: datetime) -> Cost:
    counted = await fetch_report(database, CSAT, last_days(days, now, UTC))
    return Cost(days, counted.now.sent, counted.before.sent, [])


def tell(costs: list[Cost], url: str, now: datetime) -> None:
    """Print the medians, and by which way the database finds what a report counts."""
    heads = f"{'a report of':<12}{'surveys':>12}{'and before':>12}{'ms: median':>12}{'us a survey':>13}"
    typer.echo(f"\n{heads}  target {TARGET:.0f} s")
    for cost in costs:
        median = statistics.median(cost.times)
        each = median / max(cost.counted + cost.before, 1) * 1_000_000
        typer.echo(
            f"{f'{cost.days} days':<12}{cost.counted:>12,}{cost.before:>12,}{median * 1000:>12.0f}"
            f"{each:>13.2f}  {'reached' if median < TARGET else 'not reached'}"
        )
    engine = sqlalchemy.create_engine(url)
    week = last_days(7, now - timedelta(days=1), UTC)
    for count in (queries.count_by_group, queries.count_all, queries.count_low_ratings):
        typer.echo(f"{count.__name__}: {_plan(engine, partial(count, filters=CSAT, period=week))}")
    engine.dispose()


def _plan(engine: Engine, count: Callable[[Connection], object]) -> str:
    (plan,) = Plans(engine).of(count).values()
    return "; ".join(line.strip(" ->") for line in plan.splitlines() if any(way in line for way in WAYS))

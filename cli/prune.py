"""`python app.py prune --older-than 400d`: take old surveys out while the app runs."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import typer

from csat.clock import utc_now
from csat.db import pruning
from csat.db.database import Database
from csat.settings import Settings
from csat.surveys.limits import Limits

BATCH = 500
DAYS = {"d": 1, "w": 7, "y": 365}
GIVING_WAY = 0.05
"""Seconds between two batches, at least: who waits for SQLite looks again about so often."""


class NotAnAge(ValueError):
    """The text is no age of surveys to prune; `str()` says what to type instead."""


def read_age(text: str, limits: Limits) -> timedelta:
    """Read an age like 400d, 60w or 2y; raises `NotAnAge`, also for what the limits still ask about."""
    age = re.fullmatch(r"([0-9]{1,6})([dwy])", text.strip().lower())
    if not age or not int(age[1]):
        raise NotAnAge("Write the age in days, weeks or years, like 400d, 60w or 2y.")
    days = int(age[1]) * DAYS[age[2]]
    if days > DAYS["y"] * 1_000:
        raise NotAnAge("No survey is that old: write an age like 400d, 60w or 2y.")
    if timedelta(days=days) < limits.lookback:
        raise NotAnAge(
            f"Newer surveys are needed to keep to the limits: write {_days(limits.lookback)}d or more."
        )
    return timedelta(days=days)


async def run(settings: Settings, age: timedelta, *, dry_run: bool) -> None:
    """Remove the finished surveys that are older, and tell how many; raises `DatabaseError`."""
    before, removed = utc_now() - age, 0
    with contextlib.closing(Database(settings.database_url.get_secret_value())) as database:
        old = await database.read(pruning.count_old, before)
        typer.echo(f"{old.number:,} finished surveys are from before {before:%Y-%m-%d %H:%M} UTC.")
        if dry_run or not old.number:
            return
        try:
            with typer.progressbar(length=old.number, label="Removing") as bar:
                async for number in prune(database, old, before):
                    removed += number
                    bar.update(number)
        finally:
            typer.echo(f"Removed {removed:,} surveys, with their attempts and notifications.")


async def prune(database: Database, old: pruning.Old, before: datetime) -> AsyncIterator[int]:
    """Remove what was counted, and yield how many surveys each transaction removed."""
    after = 0
    while after < old.newest:
        begun = time.monotonic()
        removed = await database.run_with_retry(pruning.prune, before, after, old.newest, BATCH)
        yield len(removed)
        after = max(removed) if len(removed) == BATCH else old.newest
        await asyncio.sleep(max(GIVING_WAY, time.monotonic() - begun))  # others write too


def _days(age: timedelta) -> int:
    return -(-age // timedelta(days=1))

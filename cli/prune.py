"""`python app.py prune --older-than 400d`: removes old surveys while the app runs."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import typer

from cli.existing_database import open_existing
from csat.clock import utc_now
from csat.db import pruning
from csat.db.database import Database
from csat.english_dates import format_moment
from csat.reporting.formatting import pluralize
from csat.settings import SettingsWithoutXKeys
from csat.surveys.customer_survey import ANSWER_WINDOW
from csat.surveys.limits import Limits

BATCH_SIZE = 500
DAYS_PER_UNIT = {"d": 1, "w": 7, "y": 365}
LEFT = "What the app posted about them stays in Slack, where forget can't find it any more."
MIN_PAUSE_SECONDS = 0.05
"""Between two batches: about how often a transaction that waits for SQLite tries again."""


class InvalidAge(ValueError):
    """The text is not an age to prune by; `str()` says what to type instead."""


def parse_age(text: str, limits: Limits) -> timedelta:
    """Parse an age like 400d, 60w or 2y; raises `InvalidAge`, also if such surveys are still needed."""
    age = re.fullmatch(r"([0-9]{1,6})([dwy])", text.strip().lower())
    if not age or not int(age[1]):
        raise InvalidAge("Give the age in days, weeks or years, like 400d, 60w or 2y.")
    days = int(age[1]) * DAYS_PER_UNIT[age[2]]
    if days > DAYS_PER_UNIT["y"] * 1_000:
        raise InvalidAge("No survey is that old. Give an age like 400d, 60w or 2y.")
    minimum = max(limits.lookback, ANSWER_WINDOW)
    if timedelta(days=days) < minimum:
        need = "The limits need" if limits.lookback > ANSWER_WINDOW else "Customers can still answer"
        raise InvalidAge(f"{need} newer surveys. Give {_whole_days(minimum)}d or more.")
    return timedelta(days=days)


async def run(settings: SettingsWithoutXKeys, age: timedelta, *, dry_run: bool) -> None:
    """Remove the finished surveys that are older, and print how many; raises `DatabaseError`."""
    before, removed = utc_now() - age, 0
    with open_existing(settings) as database:
        old = await database.read(pruning.count_prunable, before)
        found = pluralize(old.total, "finished survey")
        typer.echo(f"{found} from before {format_moment(before)}.")
        if dry_run or not old.total:
            return
        try:
            with typer.progressbar(length=old.total, label="Removing") as bar:
                async for number in prune(database, old, before):
                    removed += number
                    bar.update(number)
        finally:
            typer.echo(f"Removed {pluralize(removed, 'survey')}, with all attempts and notifications. {LEFT}")


async def prune(
    database: Database, old: pruning.PrunableSurveys, before: datetime, batch_size: int = BATCH_SIZE
) -> AsyncIterator[int]:
    """Remove the counted surveys, and yield how many each transaction removed."""
    after = 0
    while after < old.max_id:
        started = time.monotonic()
        removed = await database.run_with_retry(pruning.prune, before, after, old.max_id, batch_size)
        yield len(removed)
        after = max(removed) if len(removed) == batch_size else old.max_id
        await asyncio.sleep(max(MIN_PAUSE_SECONDS, time.monotonic() - started))  # lets other writers in


def _whole_days(age: timedelta) -> int:
    return -(-age // timedelta(days=1))

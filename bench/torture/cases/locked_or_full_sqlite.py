"""A SQLite file that is locked by another process, or full."""

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Iterator
from typing import Final

from bench.torture.agents import Users
from bench.torture.checker import CaseResult, check_surveys
from bench.torture.harness import LEASE_EXPIRY_SECONDS, Harness

LOCK_SECONDS: Final = (0.2, 0.6, 1.5, 4.0, 9.0)
"""From within the timeout of a transaction to beyond all retries."""
MAX_DELAY_SECONDS: Final = 0.5
MAX_FREE_PAGES: Final = 12
"""How many pages may be written until the file is full."""
FULL_SECONDS: Final = 1.5


async def lock_file(harness: Harness, rng: random.Random, locks: int) -> CaseResult:
    """Lock the file from this process."""
    users = Users(harness, rng)
    async with users.in_background():
        await harness.start_app()
        for number in range(locks):
            await asyncio.sleep(rng.random() * MAX_DELAY_SECONDS)
            with _connect(harness) as connection:
                connection.execute("BEGIN IMMEDIATE")
                await asyncio.sleep(LOCK_SECONDS[number % len(LOCK_SECONDS)])
    await harness.settle()
    return check_surveys(harness, users, locks)


async def fill_file(harness: Harness, rng: random.Random, kills: int) -> CaseResult:
    """Run the app with a file that is full after a few more pages, and kill it, over and over."""
    users = Users(harness, rng)
    async with users.in_background():
        await (await harness.start_app()).kill()  # it has created the tables
        for _ in range(kills):
            with _connect(harness) as connection:
                pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
            app = await harness.start_app(max_pages=pages + rng.randint(1, MAX_FREE_PAGES))
            await asyncio.sleep(FULL_SECONDS)
            await app.kill()
            harness.clock.advance(LEASE_EXPIRY_SECONDS)
        await harness.start_app()
    await harness.settle()
    return check_surveys(harness, users, kills)


@contextlib.contextmanager
def _connect(harness: Harness) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(
        sqlite3.connect(harness.sqlite_file, isolation_level=None, timeout=5)
    ) as connection:
        yield connection

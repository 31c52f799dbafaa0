"""A file of SQLite that another process has locked, or that is full."""

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Iterator
from typing import Final

from bench.torture.checker import Verdict, judge
from bench.torture.harness import LEASES_OVER, Stage
from bench.torture.users import Crowd, working

HELD: Final = (0.2, 0.6, 1.5, 4.0, 9.0)
"""Seconds for which the file is locked: within the patience of a transaction, a form, an outcome; beyond."""
BETWEEN: Final = 0.5
MOST_PAGES: Final = 12
"""How many pages are left, at most, until the file is full."""
FULL_FOR: Final = 1.5


async def locked(stage: Stage, rng: random.Random, times: int) -> Verdict:
    """Lock the file, from this process."""
    crowd = Crowd(stage, rng)
    async with working(crowd):
        await stage.start()
        for number in range(times):
            await asyncio.sleep(rng.random() * BETWEEN)
            with _connected(stage) as connection:
                connection.execute("BEGIN IMMEDIATE")
                await asyncio.sleep(HELD[number % len(HELD)])
    return await _verdict(stage, crowd, times)


async def full(stage: Stage, rng: random.Random, times: int) -> Verdict:
    """Let the file be full after a few more pages, for a while."""
    crowd = Crowd(stage, rng)
    async with working(crowd):
        await (await stage.start()).kill()  # the tables are made
        for _ in range(times):
            with _connected(stage) as connection:
                pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
            victim = await stage.start(room=pages + rng.randint(1, MOST_PAGES))
            await asyncio.sleep(FULL_FOR)
            await victim.kill()
            stage.clock.leap(LEASES_OVER)
        await stage.start()
    return await _verdict(stage, crowd, times)


@contextlib.contextmanager
def _connected(stage: Stage) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(stage.file, isolation_level=None, timeout=5)) as connection:
        yield connection


async def _verdict(stage: Stage, crowd: Crowd, times: int) -> Verdict:
    await stage.settle()
    verdict = judge(stage, crowd)
    verdict.kills = times
    return verdict

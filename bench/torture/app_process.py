"""The app in a process of its own: with a shared clock, shorter time-outs, and a trap where one is wanted.

The app itself has no knob for any of this: everything is changed here, around `bootstrap.running`.
"""

import asyncio
import logging
import os
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

import sqlalchemy
import uvloop
from sqlalchemy import event

import bootstrap
import parts
from bench.torture import failpoints
from bench.torture.clock import LeapingClock, Number
from bench.torture.failpoints import Strike
from csat.db.database import PAUSES, Database
from csat.delivery.send_worker import WorkerConfig
from csat.settings import Settings
from csat.slack_api import socket_mode
from csat.x_api import client

X_SECONDS: Final = 0.8
SLACK_SECONDS: Final = 1
PING: Final = 0.3
PACE: Final = WorkerConfig(notify_after=0.5, poll_interval=0.1, interval_scale=0.02)
SHORTER: Final = 0.1
"""By how much the pauses of a ledger that is away are shortened."""

CHANGED: Final = (
    f"X's answer is awaited {X_SECONDS:g} s and Slack's {SLACK_SECONDS} s; the worker polls every "
    f"{PACE.poll_interval:g} s, periodic tasks at {PACE.interval_scale:g} of the usual intervals; an "
    f"unavailable database is retried after {SHORTER:g} of the usual pauses. "
    "Leases, quotas and back-offs are the real ones: the clock leaps."
)
"""What is not as in service."""


class Plan(NamedTuple):
    """How a victim lives, and where it ends."""

    settings: Settings
    log: Path
    strike: Strike | None = None
    room: int | None = None
    """How many pages its file of SQLite may have."""


def main(plan: Plan, ahead: Number, suite: Connection) -> None:
    """Run the app until it is killed, or the suite is gone; tell the suite the address once it serves."""
    logging.basicConfig(filename=plan.log, level=logging.INFO, force=True)
    client.WHOLE_CALL = X_SECONDS
    parts.SLACK_TIMEOUT = SLACK_SECONDS
    bootstrap.Database = partial(Database, pauses=[pause * SHORTER for pause in PAUSES])  # type: ignore[assignment,attr-defined]
    socket_mode.PING = PING  # type: ignore[assignment]
    if plan.room is not None:
        _confine(plan.room)
    if plan.strike:
        failpoints.lay(plan.strike)
    uvloop.run(_serve(plan.settings, LeapingClock(ahead), suite))


async def _serve(settings: Settings, clock: LeapingClock, suite: Connection) -> None:
    asyncio.get_running_loop().add_reader(suite.fileno(), os._exit, 1)  # the suite says nothing, it ends
    async with bootstrap.lifespan(settings, clock, PACE) as url:
        suite.send(url)
        await asyncio.Event().wait()


def _confine(pages: int) -> None:
    """Let a file of SQLite be full at so many pages."""

    def limit(connection: sqlalchemy.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={pages}")
        cursor.close()

    event.listen(sqlalchemy.Engine, "connect", limit)

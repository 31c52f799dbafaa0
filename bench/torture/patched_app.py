"""The app in its own process, with a shared clock, shorter timeouts and, if wanted, a failpoint."""

import asyncio
import logging
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

import sqlalchemy
import time_machine
import uvloop
from sqlalchemy import event

from bench.torture import failpoints
from bench.torture.failpoints import Failpoint
from bench.torture.shared_clock import SharedClock, SharedFloat
from bootstrap.lifespan import lifespan
from csat.delivery.send_worker import WorkerConfig
from csat.settings import Settings
from csat.timeouts import Timeouts

TIMEOUTS: Final = Timeouts(slack_call=1, socket_ping=0.3, x_call=0.8, x_look_up=0.2, database_attempts=4)
WORKER_CONFIG: Final = WorkerConfig(notify_after=0.5, poll_interval=0.1, interval_scale=0.02)

DIFFERENCES: Final = (
    f"Timeouts: X {TIMEOUTS.x_call:g} s (a form's look-up {TIMEOUTS.x_look_up:g} s), "
    f"Slack {TIMEOUTS.slack_call:g} s; {TIMEOUTS.database_attempts} attempts of a transaction. "
    f"The send worker polls every {WORKER_CONFIG.poll_interval:g} s; "
    f"other periodic tasks run at {WORKER_CONFIG.interval_scale:.0%} of their intervals. "
    "Leases, rate limits and the backoff of X and Slack are unchanged: the clock jumps ahead."
)
"""How these processes differ from production."""


class AppOptions(NamedTuple):
    """How to run the app."""

    settings: Settings
    log_file: Path
    failpoint: Failpoint | None = None
    max_pages: int | None = None
    """Maximum size of the SQLite file, in pages."""
    clock_skew: float | None = None
    """Seconds that the clock of the process is ahead; the app then has no clock but the database's."""
    timeouts: Timeouts = TIMEOUTS
    concurrency: int = WORKER_CONFIG.concurrency


def main(options: AppOptions, clock_offset: SharedFloat, parent: Connection) -> None:
    """Run the app until it is killed or the parent exits; send the parent the app's URL once it serves."""
    logging.basicConfig(filename=options.log_file, level=logging.INFO, force=True)
    if options.max_pages is not None:
        _limit_pages(options.max_pages)
    if options.failpoint:
        failpoints.install(options.failpoint)
    clock: SharedClock | None = SharedClock(clock_offset)
    if options.clock_skew is not None:
        skew = timedelta(seconds=options.clock_skew)
        time_machine.travel(datetime.now(UTC) + skew, tick=True).start()
        clock = None
    config = replace(WORKER_CONFIG, concurrency=options.concurrency)
    settings = options.settings.with_timeouts(options.timeouts)
    uvloop.run(_serve(settings, clock, config, parent))


async def _serve(
    settings: Settings, clock: SharedClock | None, config: WorkerConfig, parent: Connection
) -> None:
    # the parent sends nothing: its end becomes readable when the parent exits
    asyncio.get_running_loop().add_reader(parent.fileno(), os._exit, 1)
    async with lifespan(settings, clock, config) as url:
        parent.send(url)
        await asyncio.Event().wait()


def _limit_pages(max_pages: int) -> None:
    def set_max_page_count(connection: sqlalchemy.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={max_pages}")
        cursor.close()

    event.listen(sqlalchemy.Engine, "connect", set_max_page_count)

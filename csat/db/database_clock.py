"""The database's clock, which all instances share whatever the clocks of their machines say."""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from sqlalchemy import Connection, text

from csat.db.database import Database

SYNC_INTERVAL = 20
"""Seconds between two looks at the database's time."""

TOLERANCE = timedelta(seconds=2)
"""A deviation up to this is followed at once."""

ADOPT_AFTER = 60
"""Seconds that a larger deviation must last: clocks that leap usually leap back."""

_NOW = {
    "sqlite": text("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"),
    "postgresql": text("SELECT clock_timestamp()"),
}

log = logging.getLogger(__name__)


class _Leap(NamedTuple):
    deviation: timedelta
    seen_at: float


class DatabaseClock:
    """A clock set by the database's, and advanced in between by the time since the machine was booted."""

    def __init__(self, database: Database, now: datetime) -> None:
        self._database = database
        self._leap: _Leap | None = None
        self._set(now)

    @classmethod
    async def open(cls, database: Database) -> Self:
        """Return a clock that shows the database's time; raises `DatabaseError`."""
        return cls(database, await database.read(read_time))

    def __call__(self) -> datetime:
        """Return the current time in UTC."""
        return self._set_to + timedelta(seconds=seconds_since_boot() - self._set_at)

    async def synchronize(self) -> None:
        """Follow the database's time; raises `DatabaseError`."""
        before = self()
        now = await self._database.read(read_time)
        self._follow(now - (before + (self() - before) / 2))

    def _follow(self, deviation: timedelta) -> None:
        if abs(deviation) <= TOLERANCE or self._has_lasted(deviation):
            self._set(self() + deviation)
            self._leap = None

    def _has_lasted(self, deviation: timedelta) -> bool:
        now = seconds_since_boot()
        if self._leap is None or abs(deviation - self._leap.deviation) > TOLERANCE:
            self._leap = _Leap(deviation, now)
            log.warning("The database's clock leapt by %s: followed if that lasts a minute", deviation)
        return now >= self._leap.seen_at + ADOPT_AFTER

    def _set(self, now: datetime) -> None:
        self._set_to, self._set_at = now, seconds_since_boot()


def read_time(connection: Connection) -> datetime:
    """Return the database's current time in UTC."""
    now = connection.execute(_NOW[connection.dialect.name]).scalar_one()
    return (now if isinstance(now, datetime) else datetime.fromisoformat(now)).astimezone(UTC)


def seconds_since_boot() -> float:
    """Return the time since boot, where the system knows it including sleep; it never leaps."""
    clock_id = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock_id)

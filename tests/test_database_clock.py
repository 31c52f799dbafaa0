"""The clock that all instances share: the database's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from bootstrap.resources import open_resources
from csat.background_tasks import Deadline
from csat.db import database_clock
from csat.db.database import Database
from csat.db.database_clock import DatabaseClock
from tests.world import idle_world

SECOND = timedelta(seconds=1)
TEN_MINUTES = timedelta(minutes=10)
TWO_DAYS = timedelta(days=2)


class Machine:
    """The database's clock, and the time since boot."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = datetime(2026, 11, 24, 12, tzinfo=UTC)
        self.uptime = 1000.0
        monkeypatch.setattr(database_clock, "read_time", lambda _connection: self.time)
        monkeypatch.setattr(database_clock, "seconds_since_boot", lambda: self.uptime)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)
        self.uptime += seconds


@pytest.fixture(name="machine")
def _machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.fixture(name="skewed", params=[-TEN_MINUTES, TEN_MINUTES], ids=["behind", "ahead"])
def _skewed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set this process's clock to a different time than the database's."""
    with time_machine.travel(datetime.now(UTC) + request.param):
        yield


@pytest.mark.usefixtures("skewed")
async def test_the_time_is_the_databases_whatever_the_clock_of_the_machine_says(
    database: Database,
) -> None:
    clock = await DatabaseClock.open(database)

    assert abs(clock() - datetime.now(UTC)) > TEN_MINUTES - 60 * SECOND
    assert clock().tzinfo is UTC
    before = clock()
    await clock.synchronize()
    assert before - SECOND < clock() < before + 60 * SECOND  # it is set to what it reads, a little late


async def test_the_clock_goes_on_between_two_looks(database: Database, machine: Machine) -> None:
    clock = await DatabaseClock.open(database)
    machine.advance(90)

    assert clock() == machine.time


async def test_a_small_deviation_is_followed_at_once(database: Database, machine: Machine) -> None:
    clock = await DatabaseClock.open(database)
    machine.time -= SECOND
    await clock.synchronize()

    assert clock() == machine.time


async def test_a_leap_that_is_taken_back_changes_nothing(database: Database, machine: Machine) -> None:
    clock = await DatabaseClock.open(database)
    true_time = clock()
    machine.time += TWO_DAYS
    await clock.synchronize()
    assert clock() == true_time

    machine.time -= TWO_DAYS
    machine.advance(61)
    await clock.synchronize()
    assert clock() == machine.time == true_time + 61 * SECOND

    machine.time += TWO_DAYS
    await clock.synchronize()
    assert clock() == machine.time - TWO_DAYS


async def test_a_leap_that_lasts_a_minute_is_followed(database: Database, machine: Machine) -> None:
    clock = await DatabaseClock.open(database)
    machine.time += TWO_DAYS
    for _ in range(3):
        await clock.synchronize()
        assert clock() == machine.time - TWO_DAYS
        machine.advance(20)
    await clock.synchronize()

    assert clock() == machine.time


@pytest.mark.usefixtures("skewed")
async def test_the_app_goes_by_the_database_s_clock(tmp_path: Path, machine: Machine) -> None:
    async with idle_world(tmp_path) as world, open_resources(world.settings, None, Deadline(1)) as resources:
        machine.advance(60)

        assert resources.clock() == machine.time

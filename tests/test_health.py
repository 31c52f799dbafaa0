"""`GET /healthz` tries a write: that the database can be read is not enough."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Connection, event

from csat.db.database import Database
from csat.db.tables import write_checks
from csat.db.write_check import try_write
from csat.timeouts import Timeouts
from tests.databases import Databases
from tests.local_client import local_client
from tests.timeouts import GENEROUS, WAIT_SECONDS
from tests.unwritable import Problem, unwritable
from tests.world import World, running_world


async def health(world: World) -> tuple[int, list[str]]:
    async with local_client(timeout=WAIT_SECONDS) as client:
        response = await client.get(f"{world.url}/healthz")
    return response.status_code, response.json()["reasons"]


@pytest.fixture(name="world")
async def _world(database_url: str, tmp_path: Path, timeouts: Timeouts) -> AsyncIterator[World]:
    """The app on each kind of database."""
    async with running_world(tmp_path, database_url=database_url, timeouts=timeouts) as world:
        yield world


@pytest.fixture(name="writes")
def _writes() -> Iterator[list[str]]:
    """Collect the writes of health checks."""
    writes: list[str] = []

    def collect(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO write_checks"):
            writes.append(statement)

    event.listen(sqlalchemy.Engine, "before_cursor_execute", collect)
    yield writes
    event.remove(sqlalchemy.Engine, "before_cursor_execute", collect)


@pytest.mark.parametrize("problem", Problem)
async def test_a_database_that_takes_no_writes_makes_the_app_unhealthy(
    world: World, problem: Problem
) -> None:
    with unwritable(world.database_url, problem) as reason:
        status, (found,) = await health(world)

    assert status == 503
    assert found.startswith("database: ")
    assert reason in found


async def test_a_health_check_leaves_no_row(world: World, writes: list[str]) -> None:
    assert await health(world) == (200, [])
    assert world.rows(write_checks.c.text) == []
    assert len(writes) == 1


@pytest.mark.parametrize("timeouts", [replace(GENEROUS, health_write=WAIT_SECONDS)])
async def test_many_health_checks_write_once_in_a_second(world: World, writes: list[str]) -> None:
    responses = await asyncio.gather(*(health(world) for _ in range(9)))
    responses.append(await health(world))

    assert responses == [(200, [])] * 10
    assert len(writes) == 1


async def test_on_postgresql_a_write_check_waits_for_no_transaction_here_or_of_another_instance(
    databases: Databases, tmp_path: Path
) -> None:
    released, loop = threading.Event(), asyncio.get_running_loop()
    begun = [asyncio.Event() for _ in range(3)]

    def hold(connection: Connection, number: int) -> None:
        try_write(connection)
        loop.call_soon_threadsafe(begun[number].set)
        released.wait(WAIT_SECONDS)

    url = databases.make("postgresql", tmp_path)
    with (
        contextlib.closing(Database(url, GENEROUS)) as database,
        contextlib.closing(Database(url, GENEROUS)) as other,
    ):
        held = asyncio.gather(
            database.run(hold, 0), database.run_before_deadline(WAIT_SECONDS, hold, 1), other.run(hold, 2)
        )
        await asyncio.gather(*(one.wait() for one in begun))
        await database.check_writes()
        released.set()
        await held

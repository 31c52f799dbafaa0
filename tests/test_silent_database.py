"""Nobody waits long for a silent PostgreSQL, and work goes on once it responds again."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert, select, text

from csat.db import inspection, postgresql_connections, tables
from csat.db.database import Database
from csat.db.engines import READER_THREADS, WRITER_THREADS
from csat.db.errors import CommitUnknown, DatabaseError
from csat.timeouts import Timeouts
from sandbox.slack import ActionOutcome, fixtures
from tests.databases import Databases
from tests.local_client import local_client
from tests.silent_proxy import SilentProxy
from tests.timeouts import GENEROUS, WAIT_SECONDS
from tests.world import World, running_world, visible_text

STANDARD = Timeouts()
REAL = replace(
    GENEROUS,
    form_commit=STANDARD.form_commit,
    postgresql_connect=STANDARD.postgresql_connect,
    postgresql_lock=STANDARD.postgresql_lock,
    database_write=STANDARD.database_write,
    database_read=STANDARD.database_read,
    database_check=STANDARD.database_check,
    database_commit=STANDARD.database_commit,
)
"""The app waits for PostgreSQL as it does in production."""

SERVER_TIMEOUTS = {
    "lock_timeout": "2s",
    "statement_timeout": "8s",
    "idle_in_transaction_session_timeout": "5s",
}


@pytest.fixture(name="world")
async def _world(proxy: SilentProxy, tmp_path: Path) -> AsyncIterator[World]:
    """The app with its database behind the proxy."""
    urls: dict[str, Any] = {"database_url": proxy.url, "direct_url": proxy.direct_url}
    async with running_world(tmp_path, timeouts=REAL, **urls) as world:
        yield world
        proxy.resume()


@pytest.fixture(name="database")
def _database(proxy: SilentProxy) -> Iterator[Database]:
    database = Database(proxy.url, REAL)
    yield database
    database.close()


def form_text(world: World) -> str:
    return visible_text(world.workspace.current_view(fixtures.ADA))


@pytest.mark.parametrize(
    "last_word", [b"SET statement_timeout = 0", b"alembic_version", b"pg_try_advisory_lock"]
)
def test_the_app_does_not_start_with_a_postgresql_that_falls_silent(
    databases: Databases, tmp_path: Path, last_word: bytes
) -> None:
    proxy = SilentProxy(databases.empty("postgresql", tmp_path))
    with proxy.listening():
        proxy.silence_after(last_word)
        with pytest.raises(DatabaseError, match="did not respond in time"):
            Database(proxy.url, replace(REAL, postgresql_start=0.5))


async def test_a_form_is_kept_open_within_three_seconds_and_can_be_sent_once_postgresql_responds(
    world: World, proxy: SilentProxy
) -> None:
    await world.open_form("/csat @mira_k")
    proxy.silence()
    durations = []
    for _ in range(2):
        started_at = time.monotonic()
        result = await world.workspace.submit_view(fixtures.ADA)
        durations.append(time.monotonic() - started_at)
        assert result.outcome is ActionOutcome.UPDATED
        assert "Not saved, nothing was sent" in form_text(world)
    proxy.resume()
    result = await world.workspace.submit_view(fixtures.ADA)
    await world.wait_for_message("sent a survey")

    assert min(durations) < 3
    assert result.outcome is ActionOutcome.CLOSED
    assert len(world.x.feedbacks) == 1


async def test_a_form_whose_commit_is_not_answered_is_not_said_to_be_unsaved_and_is_sent_once(
    world: World, proxy: SilentProxy
) -> None:
    await world.open_form("/csat @mira_k")
    proxy.silence_after(b"INSERT INTO surveys", b"COMMIT")
    result = await world.workspace.submit_view(fixtures.ADA)

    assert result.outcome is ActionOutcome.UPDATED
    assert "We can't tell whether this was saved" in form_text(world)
    proxy.resume()
    assert (await world.workspace.submit_view(fixtures.ADA)).outcome is ActionOutcome.CLOSED
    await world.advance(seconds=13)
    await world.wait_for_message("sent a survey")
    assert len(world.rows(tables.surveys.c.id)) == len(world.x.feedbacks) == 1


async def test_a_form_whose_connection_breaks_during_its_commit_is_accepted_and_its_survey_sent_at_once(
    world: World, proxy: SilentProxy
) -> None:
    await world.open_form("/csat @mira_k")
    proxy.cut_after(b"INSERT INTO surveys", b"COMMIT")
    result = await world.workspace.submit_view(fixtures.ADA)
    await world.wait_for_message("sent a survey")

    assert result.outcome is ActionOutcome.CLOSED
    assert len(world.rows(tables.surveys.c.id)) == len(world.x.feedbacks) == 1


async def test_the_receipt_of_a_survey_that_was_sent_meanwhile_is_stored_once_postgresql_responds(
    world: World, proxy: SilentProxy
) -> None:
    with world.x.hold() as hold:
        await world.submit_survey("/csat 1820000000000000011")
        await hold.arrived.wait()
        proxy.silence()
    async with local_client() as client:
        while (await client.get(f"{world.url}/healthz")).status_code == 200:
            pass
    proxy.resume()
    resumed_at = time.monotonic()
    await world.wait_for_message("sent a survey")

    assert time.monotonic() - resumed_at < 10
    assert world.states() == ["sent"]


async def test_the_health_check_fails_at_once_while_postgresql_is_silent(
    world: World, proxy: SilentProxy
) -> None:
    durations = []
    async with local_client(timeout=WAIT_SECONDS) as client:
        proxy.silence()
        for _ in range(3):
            started_at = time.monotonic()
            response = await client.get(f"{world.url}/healthz")
            durations.append(time.monotonic() - started_at)
            assert response.status_code == 503
            assert response.json()["reasons"] == ["database: PostgreSQL did not respond in time"]
        proxy.resume()
        async with asyncio.timeout(WAIT_SECONDS):
            while (await client.get(f"{world.url}/healthz")).status_code != 200:
                pass

    assert min(durations) < 2


@pytest.mark.parametrize("words", [(b"INSERT INTO write_checks",), (b"INSERT INTO write_checks", b"COMMIT")])
async def test_the_health_check_fails_at_once_if_postgresql_becomes_silent_during_its_write(
    world: World, proxy: SilentProxy, words: tuple[bytes, ...]
) -> None:
    proxy.silence_after(*words)
    started_at = time.monotonic()
    async with local_client(timeout=WAIT_SECONDS) as client:
        response = await client.get(f"{world.url}/healthz")
    duration = time.monotonic() - started_at
    proxy.resume()

    assert response.json()["reasons"] == ["database: PostgreSQL did not respond in time"]
    assert duration < 3


@pytest.mark.parametrize("words", [b"pg_catalog", b"INSERT INTO write_checks", b"COMMIT"])
def test_a_database_is_inspected_in_time_or_not_at_all(proxy: SilentProxy, words: bytes) -> None:
    proxy.silence_after(words)
    started_at = time.monotonic()
    with pytest.raises(DatabaseError, match="did not respond in time"):
        inspection.inspect_database(proxy.url, replace(REAL, database_write=2))

    assert time.monotonic() - started_at < 10


def add_account(connection: Connection, account: str) -> None:
    connection.execute(insert(tables.accounts).values(id=account))


def list_accounts(connection: Connection) -> list[str]:
    return list(connection.execute(select(tables.accounts.c.id).order_by(tables.accounts.c.id)).scalars())


async def test_more_silent_transactions_than_threads_delay_no_later_one(
    database: Database, proxy: SilentProxy
) -> None:
    proxy.silence()
    outcomes = await asyncio.gather(
        *(database.run(add_account, f"silent {number}") for number in range(3 * WRITER_THREADS)),
        *(database.read(list_accounts) for _ in range(3 * READER_THREADS)),
        return_exceptions=True,
    )
    proxy.resume()
    async with asyncio.timeout(10):
        await database.run(add_account, "loud")
        known = await database.read(list_accounts)

    assert {type(outcome) for outcome in outcomes} == {DatabaseError}
    assert known == ["loud"]


def test_connections_end_by_themselves_if_nothing_comes_from_the_server(proxy: SilentProxy) -> None:
    engine = postgresql_connections.create_engine(proxy.direct_url, 1, REAL)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver
        parameters = driver.info.get_parameters()
        server = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in SERVER_TIMEOUTS}
    engine.dispose()

    assert (
        parameters.items()
        >= {
            "connect_timeout": "2",
            "keepalives_idle": "2",
            "keepalives_interval": "1",
            "keepalives_count": "3",
            "tcp_user_timeout": "5000",
        }.items()
    )
    assert server == SERVER_TIMEOUTS


def test_a_connection_that_was_closed_here_is_replaced_before_its_use(proxy: SilentProxy) -> None:
    engine = postgresql_connections.create_engine(proxy.direct_url, 1, REAL)
    pooled = engine.raw_connection()
    driver = pooled.driver_connection
    pooled.close()
    assert driver
    driver.close()

    with engine.connect() as connection:
        assert connection.scalar(select(1)) == 1
    engine.dispose()


async def test_connections_that_the_server_has_closed_are_replaced_before_their_use(
    proxy: SilentProxy,
) -> None:
    database, engine = Database(proxy.direct_url, REAL), create_engine(proxy.direct_url)
    await database.read(list_accounts)
    await database.run(add_account, "A1")
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    engine.dispose()

    await database.run(add_account, "A2")
    assert await database.read(list_accounts) == ["A1", "A2"]
    database.close()


@pytest.mark.parametrize("words", [(b"INSERT INTO accounts",), (b"INSERT INTO accounts", b"COMMIT")])
async def test_only_a_transaction_whose_commit_began_has_an_unknown_outcome(
    database: Database, proxy: SilentProxy, words: tuple[bytes, ...]
) -> None:
    proxy.silence_after(*words)
    with pytest.raises(DatabaseError) as error:
        await database.run(add_account, "A1")
    proxy.resume()

    is_committed = b"COMMIT" in words
    assert type(error.value) is (CommitUnknown if is_committed else DatabaseError)
    assert await database.read(list_accounts) == (["A1"] if is_committed else [])

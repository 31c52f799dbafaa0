"""Transactions that wait for SQLite's one writer: one commit for all, and each with an outcome of its own."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text

from csat.db.accounts import open_account
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.tables import accounts, attempts


@pytest.fixture(name="sqlite")
def _sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'csat.db'}")
    yield database
    database.close()


@pytest.fixture(name="commits")
def _commits() -> Iterator[list[object]]:
    """Collect the commits."""
    commits: list[object] = []
    note = commits.append
    event.listen(Engine, "commit", note)
    yield commits
    event.remove(Engine, "commit", note)


@asynccontextmanager
async def busy(database: Database) -> AsyncIterator[None]:
    """Keep the writer busy until the block ends."""
    begun, over, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def keep_busy(_connection: Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        over.wait(20)

    keeping = asyncio.create_task(database.run(keep_busy))
    await begun.wait()
    yield
    over.set()
    await keeping


async def waiting(
    database: Database, *transactions: Callable[[Connection], object]
) -> list[asyncio.Task[object]]:
    tasks = [asyncio.create_task(database.run(transaction)) for transaction in transactions]
    await asyncio.sleep(0)
    return tasks


def opening(account: str) -> Callable[[Connection], object]:
    return partial(open_account, account=account)


async def opened(database: Database) -> list[str]:
    return await database.read(lambda connection: sorted(connection.execute(select(accounts.c.id)).scalars()))


def divide_by_zero(connection: Connection) -> None:
    open_account(connection, "of nobody")
    1 / 0  # noqa: B018 - it is what fails


def break_at_the_commit(connection: Connection) -> None:
    connection.execute(text("PRAGMA defer_foreign_keys=ON"))
    orphan = {"survey_id": 404, "number": 1, "instance": "one", "started_at": datetime.now(UTC)}
    connection.execute(insert(attempts), orphan)


async def test_transactions_that_wait_share_a_commit(sqlite: Database, commits: list[object]) -> None:
    async with busy(sqlite):
        tasks = await waiting(sqlite, *map(opening, "abc"))
    await asyncio.gather(*tasks)

    assert await opened(sqlite) == ["a", "b", "c"]
    assert len(commits) == len(["keeping busy", "all three", "reading"])


@pytest.mark.parametrize(
    ("broken", "error"), [(divide_by_zero, ZeroDivisionError), (break_at_the_commit, DatabaseError)]
)
async def test_a_transaction_that_fails_takes_none_of_those_down_that_waited_with_it(
    sqlite: Database, broken: Callable[[Connection], object], error: type[Exception]
) -> None:
    async with busy(sqlite):
        tasks = await waiting(sqlite, opening("a"), broken, opening("b"))
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [type(None), error, type(None)]
    assert await opened(sqlite) == ["a", "b"]


async def test_a_transaction_that_is_cancelled_while_it_waits_does_not_run(sqlite: Database) -> None:
    async with busy(sqlite):
        tasks = await waiting(sqlite, *map(opening, "abc"))
        tasks[1].cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)

    assert await opened(sqlite) == ["a", "c"]


async def test_those_who_wait_for_a_locked_file_wait_for_it_once_and_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csat.db.database.PRAGMAS", ("journal_mode=WAL", "busy_timeout=10"))
    database, begun = Database(f"sqlite:///{tmp_path / 'csat.db'}"), list[object]()
    lock = sqlite3.connect(tmp_path / "csat.db", isolation_level=None)
    lock.execute("begin immediate")
    note = begun.append
    event.listen(Engine, "begin", note)

    tasks = await waiting(database, *map(opening, "abcde"))
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    event.remove(Engine, "begin", note)
    lock.close()
    database.close()
    assert [str(outcome) for outcome in outcomes] == ["database is locked"] * 5
    assert len(begun) <= len(["the first", "all others"])

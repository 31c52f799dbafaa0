"""Transactions that wait for the same writer share a commit, and each has its own outcome."""

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text

from csat.db import submissions
from csat.db.account_pauses import ensure_account
from csat.db.database import Database
from csat.db.errors import DatabaseError, Rejected
from csat.db.tables import accounts, attempts, surveys
from csat.surveys.limits import Denied, Limits
from tests.databases import Databases
from tests.factories import NOON, make_origin, make_survey
from tests.timeouts import GENEROUS, SHORT_LOCK

Transaction = Callable[[Connection], object]


@pytest.fixture(name="sqlite")
def _sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'csat.db'}", GENEROUS)
    yield database
    database.close()


@pytest.fixture(name="database")
def _database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, GENEROUS)
    yield database
    database.close()


@pytest.fixture(name="postgresql")
def _postgresql(databases: Databases, tmp_path: Path) -> Iterator[Database]:
    database = Database(databases.make("postgresql", tmp_path), GENEROUS)
    yield database
    database.close()


@pytest.fixture(name="commits")
def _commits() -> Iterator[list[object]]:
    """Collect the commits."""
    commits: list[object] = []
    add_commit = commits.append
    event.listen(Engine, "commit", add_commit)
    yield commits
    event.remove(Engine, "commit", add_commit)


@asynccontextmanager
async def busy_writer(database: Database) -> AsyncIterator[None]:
    """Keep the writer busy until the block ends."""
    started, finished, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def keep_busy(_connection: Connection) -> None:
        loop.call_soon_threadsafe(started.set)
        finished.wait(20)

    task = asyncio.create_task(database.run(keep_busy))
    await started.wait()
    yield
    finished.set()
    await task


async def start(database: Database, *transactions: Transaction) -> list[asyncio.Task[object]]:
    tasks = [asyncio.create_task(database.run(transaction)) for transaction in transactions]
    await asyncio.sleep(0)
    return tasks


async def run_in_a_batch(database: Database, *transactions: Transaction) -> list[object]:
    """Return the result or the exception of each transaction."""
    async with busy_writer(database):
        tasks = await start(database, *transactions)
    return await asyncio.gather(*tasks, return_exceptions=True)


def insert_account(account: str) -> Transaction:
    return partial(ensure_account, account=account)


async def read_accounts(database: Database) -> list[str]:
    return await database.read(lambda connection: sorted(connection.execute(select(accounts.c.id)).scalars()))


def divide_by_zero(connection: Connection) -> None:
    ensure_account(connection, "never committed")
    1 / 0  # noqa: B018 - fails on purpose


def break_a_constraint(connection: Connection) -> None:
    ensure_account(connection, "never committed")
    orphan = {"survey_id": 404, "number": 1, "instance": "one", "started_at": datetime.now(UTC)}
    connection.execute(insert(attempts), orphan)


def break_a_constraint_at_the_commit(connection: Connection) -> None:
    connection.execute(text("PRAGMA defer_foreign_keys=ON"))
    break_a_constraint(connection)


def end_the_transaction(connection: Connection) -> None:
    """Roll everything back and fail, as SQLite does when the disk is full."""
    connection.exec_driver_sql("ROLLBACK")
    1 / 0  # noqa: B018 - fails on purpose


def lose_the_connection(connection: Connection) -> None:
    connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


async def test_transactions_that_wait_share_a_commit(database: Database, commits: list[object]) -> None:
    await run_in_a_batch(database, *map(insert_account, "abc"))

    assert await read_accounts(database) == ["a", "b", "c"]
    assert len(commits) == len(["the busy writer's", "the batch's", "the reader's"])


@pytest.mark.parametrize(
    ("broken", "error"), [(divide_by_zero, ZeroDivisionError), (break_a_constraint, Rejected)]
)
async def test_a_transaction_that_fails_is_rolled_back_alone(
    database: Database, broken: Transaction, error: type[Exception]
) -> None:
    outcomes = await run_in_a_batch(database, insert_account("a"), broken, insert_account("b"))

    assert [type(outcome) for outcome in outcomes] == [type(None), error, type(None)]
    assert await read_accounts(database) == ["a", "b"]


async def test_a_transaction_runs_once_even_if_another_one_of_its_batch_fails(database: Database) -> None:
    runs: Counter[str] = Counter()

    def count_run(name: str, transaction: Transaction) -> Transaction:
        def counted(connection: Connection) -> object:
            runs[name] += 1
            return transaction(connection)

        return counted

    await run_in_a_batch(
        database,
        count_run("first", insert_account("a")),
        count_run("broken", divide_by_zero),
        count_run("last", insert_account("b")),
    )

    assert runs == {"first": 1, "broken": 1, "last": 1}


async def test_a_denial_costs_no_other_submission_anything(database: Database, commits: list[object]) -> None:
    def accept(view_id: str, recipient_key: str) -> Transaction:
        submission = submissions.Submission(view_id, make_survey(), make_origin(), "A1", "one", recipient_key)
        return lambda connection: submissions.accept(connection, submission, Limits(), NOON)

    await database.run(ensure_account, "A1")
    commits.clear()
    keys = [*range(50), 7, *range(50, 100)]
    batch = [accept(f"V{number}", f"customer {key}") for number, key in enumerate(keys)]
    outcomes = await run_in_a_batch(database, *batch)

    assert [type(outcome) for outcome in outcomes].count(Denied) == 1
    assert len(await database.read(lambda connection: connection.execute(select(surveys.c.id)).all())) == 100
    assert len(commits) == len(["the busy writer's", "the batch's", "the reader's"])


@pytest.mark.parametrize("broken", [break_a_constraint_at_the_commit, end_the_transaction])
async def test_nothing_is_written_if_the_batch_cannot_be_committed(
    sqlite: Database, broken: Transaction
) -> None:
    outcomes = await run_in_a_batch(sqlite, insert_account("a"), broken, insert_account("b"))

    assert [type(outcome) for outcome in outcomes] == [DatabaseError] * 3
    assert await read_accounts(sqlite) == []


@pytest.mark.parametrize("others", ["", "ab"])
async def test_a_lost_connection_is_an_unavailable_database_to_everybody_in_the_batch(
    postgresql: Database, others: str
) -> None:
    transactions = (*map(insert_account, others), lose_the_connection, *map(insert_account, others))
    outcomes = await run_in_a_batch(postgresql, *transactions)

    assert [type(outcome) for outcome in outcomes] == [DatabaseError] * len(transactions)
    assert await read_accounts(postgresql) == []


async def test_a_transaction_that_is_cancelled_while_it_waits_does_not_run(database: Database) -> None:
    async with busy_writer(database):
        tasks = await start(database, *map(insert_account, "abc"))
        tasks[1].cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)

    assert await read_accounts(database) == ["a", "c"]


async def test_transactions_wait_for_a_locked_file_once_and_together(tmp_path: Path) -> None:
    database, begins = Database(f"sqlite:///{tmp_path / 'csat.db'}", SHORT_LOCK), list[object]()
    lock = sqlite3.connect(tmp_path / "csat.db", isolation_level=None)
    lock.execute("begin immediate")
    add_begin = begins.append
    event.listen(Engine, "begin", add_begin)

    tasks = await start(database, *map(insert_account, "abcde"))
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    event.remove(Engine, "begin", add_begin)
    lock.close()
    database.close()
    assert [str(outcome) for outcome in outcomes] == ["database is locked"] * 5
    assert len(begins) <= len(["the first", "all others"])


async def test_a_transaction_whose_deadline_passes_is_left_out_of_its_batch_and_the_others_are_committed(
    postgresql: Database,
) -> None:
    is_late, loop = threading.Event(), asyncio.get_running_loop()
    started, finished = asyncio.Event(), threading.Event()

    def keep_busy(_connection: Connection) -> None:
        loop.call_soon_threadsafe(started.set)
        finished.wait(20)

    def wait_and_insert(connection: Connection) -> None:
        is_late.wait(20)
        ensure_account(connection, "in time")

    busy = asyncio.create_task(postgresql.run_before_deadline(30, keep_busy))
    await started.wait()
    late = asyncio.create_task(postgresql.run_before_deadline(0.5, insert_account("late")))
    in_time = asyncio.create_task(postgresql.run_before_deadline(30, wait_and_insert))
    await asyncio.sleep(0)
    finished.set()
    with pytest.raises(DatabaseError, match="did not respond in time"):
        await late
    is_late.set()
    await asyncio.gather(busy, in_time)

    assert await read_accounts(postgresql) == ["in time"]

"""The ledger: transactions over SQLite or PostgreSQL, each one hop away from the event loop."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import DBAPIError

from csat.db import tables
from csat.db.errors import DatabaseError
from csat.db.group_commit import Turn, Turns
from csat.db.migrations.upgrade import upgrade

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

BUSY_SECONDS = 1.0
"""How long a transaction waits for a locked database: Slack wants its acknowledgement in three seconds."""

THREADS = 8
"""How many transactions a server's connections run at once."""
READERS = 2
"""How many transactions that write nothing run beside them: reports, which can have many rows to count."""
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=FAST",
    f"busy_timeout={BUSY_SECONDS * 1000:.0f}",
)
"""How SQLite is set up: what was acknowledged survives a power cut, and what is erased is gone."""


class Database:
    """Runs transactions: plain functions whose first parameter is a `Connection`.

    What writes nothing has threads of its own, so that a long report keeps nobody from being accepted. SQLite
    has one writer, so one thread serves it; there every transaction begins IMMEDIATE, and those that wait
    share a commit. So a transaction may run twice: what it does is done over its connection alone.

    Args:
        url: SQLAlchemy's URL of the database; it is brought to the newest schema.
        pauses: the seconds before each repetition of what has no second chance.
    """

    def __init__(self, url: str, pauses: Sequence[float] = PAUSES) -> None:
        self._pauses = pauses
        self._engine = open_engine(url)
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        self._threads = ThreadPoolExecutor(1 if self._is_sqlite else THREADS, thread_name_prefix="ledger")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="ledger reading")
        self._turns = Turns(self._transact) if self._is_sqlite else None

    async def run(
        self, transaction: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run one transaction and commit it; raises `DatabaseError` when it could not be."""
        return await self._write(lambda connection: transaction(connection, *args, **kwargs))

    async def run_before_deadline(
        self,
        seconds: float,
        transaction: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run one transaction, but not if it can't begin within `seconds`: then it never will."""
        deadline = time.monotonic() + seconds

        def begin_in_time(connection: Connection) -> T:
            if time.monotonic() > deadline:
                raise DatabaseError("too many transactions were waiting")
            return transaction(connection, *args, **kwargs)

        return await self._write(begin_in_time)

    async def run_with_retry(
        self, transaction: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction that has no second chance, again and again while the ledger is locked or away."""
        for pause in self._pauses:
            try:
                return await self.run(transaction, *args, **kwargs)
            except DatabaseError as error:
                log.warning("The ledger took no outcome: %s", error)
                await asyncio.sleep(pause)
        return await self.run(transaction, *args, **kwargs)

    async def read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction that writes nothing, and waits for no writer; raises `DatabaseError`."""
        return await self._hop(
            lambda: self._transact(lambda connection: query(connection, *args, **kwargs), reading=True),
            self._readers,
        )

    async def check(self) -> None:
        """Raise `DatabaseError` with the reason when the database can't be read, or its file is gone."""
        await self.read(self._check)

    async def truncate_wal(self) -> bool:
        """Empty SQLite's log, which has pages from before an erasure; whether nobody stood in the way."""
        return not self._is_sqlite or await self._hop(self._empty_log)

    def close(self) -> None:
        """Finish what runs and let go of the database."""
        self._threads.shutdown()
        self._readers.shutdown()
        self._engine.dispose()

    def _check(self, connection: Connection) -> None:
        database = self._engine.url.database
        if self._is_sqlite and database and not Path(database).exists():
            raise DatabaseError(f"the file {database} is gone")
        connection.execute(select(tables.surveys.c.id).limit(1))

    def _empty_log(self) -> bool:
        with contextlib.closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            is_busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not is_busy

    async def _write(self, transaction: Callable[[Connection], T]) -> T:
        if self._turns is None:
            return await self._hop(lambda: self._transact(transaction))
        turns, turn = self._turns, Turn(transaction)
        turns.wait(turn)
        try:
            return await self._hop(lambda: turns.take(turn))
        finally:
            turn.waits = False  # who is cancelled before their turn is not taken along

    async def _hop(self, work: Callable[[], T], threads: ThreadPoolExecutor | None = None) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads or self._threads, work)

    def _transact(self, transaction: Callable[[Connection], T], *, reading: bool = False) -> T:
        try:
            with self._engine.connect().execution_options(reading=reading) as connection, connection.begin():
                return transaction(connection)
        except DBAPIError as error:
            raise DatabaseError(_reason(error)).with_traceback(error.__traceback__) from None


def open_engine(url: str) -> Engine:
    """Connect to a database and bring it to the newest schema; raises `DatabaseError`."""
    try:
        engine = sqlalchemy.create_engine(url, hide_parameters=True, **_options(url))
    except (sqlalchemy.exc.ArgumentError, ImportError) as error:
        raise DatabaseError(f"the database URL can't be used: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    try:
        upgrade(engine)
    except DBAPIError as error:
        raise DatabaseError(f"the database can't be opened: {error.orig}") from error
    return engine


def _reason(error: DBAPIError) -> str:
    """Return the first line of what a database says: below it PostgreSQL quotes the whole row."""
    return str(error.orig).partition("\n")[0]


def _options(url: str) -> dict[str, Any]:
    """Return how a server is talked to: no call may outlast the three seconds of Slack."""
    if not url.startswith("postgresql"):
        return {}
    limits = "-c lock_timeout=2000 -c statement_timeout=10000 -c idle_in_transaction_session_timeout=10000"
    return {
        "pool_size": THREADS + READERS,
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": 2, "options": limits},
    }


def _set_up_sqlite(connection: sqlalchemy.engine.interfaces.DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # Python would begin transactions by itself, and not IMMEDIATE
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql(
        "BEGIN" if connection.get_execution_options().get("reading") else "BEGIN IMMEDIATE"
    )

"""Run transactions on SQLite or PostgreSQL, in threads beside the event loop."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import stamina
from sqlalchemy import Connection, Engine, select

from csat.db import tables
from csat.db.engines import READER_THREADS, open_engine
from csat.db.errors import CommitUnknown, DatabaseError, Rejected, translate_errors
from csat.db.group_commit import GroupCommit
from csat.db.outage_log import OutageLog
from csat.db.transaction_deadlines import SILENT, CommitDeadline, respond_before
from csat.db.write_check import try_write
from csat.timeouts import Timeouts

P = ParamSpec("P")
T = TypeVar("T")

RETRY_FOREVER = stamina.AsyncRetryingCaller(
    attempts=None, timeout=None, wait_initial=0.1, wait_exp_base=3, wait_max=2, wait_jitter=0
)


class Database:
    """Runs transactions: plain functions whose first parameter is a `Connection`.

    Writing transactions that wait share a commit. Read-only transactions have threads of their own, so that
    no submission waits for a long report. SQLite has a single writer, where transactions begin IMMEDIATE. On
    PostgreSQL there is another writer for the transactions that a person waits for, and one for write checks,
    and each transaction or query has a deadline, so that nobody waits for a silent server.

    Args:
        url: SQLAlchemy's URL of the database.
        timeouts: how long a transaction or a query may take.
        may_migrate: if False, a database with another than the current schema is refused.
    """

    def __init__(self, url: str, timeouts: Timeouts, *, may_migrate: bool = True) -> None:
        self._timeouts = timeouts
        self._engine = open_engine(url, timeouts, may_migrate=may_migrate)
        self._outage = OutageLog(timeouts.sqlite_lock_outage)
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        # in PostgreSQL's READ COMMITTED each statement sees a snapshot of its own anyway
        reading = {"is_read_only": True} if self._is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._reading_engine = self._engine.execution_options(**reading)
        self._writer = GroupCommit(self._commit)
        self._submissions = self._writer if self._is_sqlite else GroupCommit(self._commit)
        self._checks = self._writer if self._is_sqlite else GroupCommit(self._commit)
        self._readers = ThreadPoolExecutor(READER_THREADS, "db-reader")
        self._retry = stamina.AsyncRetryingCaller(
            attempts=timeouts.database_attempts,
            timeout=None,
            wait_initial=0.1,
            wait_exp_base=3,
            wait_max=5,
            wait_jitter=0,
        )

    async def run(
        self, transaction: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction and commit it; raises `DatabaseError`."""
        return await self._write(None, lambda connection: transaction(connection, *args, **kwargs))

    async def run_before_deadline(
        self,
        seconds: float,
        transaction: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a transaction that a person waits for, and again if the outcome of its commit is unknown.

        It must be idempotent, and return the same when it is repeated. On PostgreSQL its commit must begin
        within `seconds`, and takes `database_commit` seconds at most.

        Raises:
            CommitUnknown: the second run has failed too; everything was written, or nothing.
            DatabaseError: it has failed, or can't begin within `seconds`; nothing was written.
        """
        deadline = time.monotonic() + seconds

        def run() -> Awaitable[T]:
            left = deadline - time.monotonic()
            return self._write(left, lambda connection: transaction(connection, *args, **kwargs))

        try:
            return await run()
        except CommitUnknown as unknown:
            try:
                return await run()
            except DatabaseError:
                raise unknown from None

    async def run_idempotent(
        self, transaction: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction like `run_before_deadline`, with the time that any other has."""
        return await self.run_before_deadline(self._timeouts.database_write, transaction, *args, **kwargs)

    async def run_with_retry(
        self, transaction: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction, retrying while the database is unavailable; raises `DatabaseError`."""
        return await self._retry(DatabaseError, lambda: self.run(transaction, *args, **kwargs))

    async def run_until_committed(
        self, transaction: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a transaction, retrying as long as the database is unavailable; raises `Rejected`.

        For what only the caller knows: X's response to a request, or that Slack has posted a message.
        """
        return await RETRY_FOREVER(_is_unavailable, lambda: self.run(transaction, *args, **kwargs))

    async def read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a query, which waits for no writer; raises `DatabaseError`."""
        seconds = self._timeouts.database_read
        return await self._read(seconds, lambda connection: query(connection, *args, **kwargs))

    async def check(self) -> None:
        """Raise `DatabaseError` if the database can't be read or its file is missing."""
        self._check_file()
        query = select(tables.surveys.c.id).limit(1)
        await self._read(self._timeouts.database_check, lambda connection: connection.execute(query))

    async def check_writes(self) -> None:
        """Write in a transaction that no other shares a commit with; raises `DatabaseError`."""
        if self._is_sqlite:
            await self._writer.run_alone(lambda: self._commit(try_write))
        else:
            await self._commit_in_time(self._checks, self._timeouts.database_check, try_write)
        self._outage.end()

    async def check_outage(self) -> None:
        """Find out whether an outage is over, which a small write does not show."""
        if self._outage.is_ongoing:
            with contextlib.suppress(DatabaseError):
                await self.check_writes()

    async def truncate_wal(self) -> bool:
        """Truncate SQLite's write-ahead log, which keeps erased data; return False if it is in use."""
        return not self._is_sqlite or await self._writer.run_alone(self._truncate_wal)

    def close(self) -> None:
        """Finish the running transactions and disconnect."""
        self._writer.close()
        self._submissions.close()
        self._checks.close()
        self._readers.shutdown()
        self._engine.dispose()

    def _check_file(self) -> None:
        database = self._engine.url.database
        if self._is_sqlite and database and not Path(database).exists():
            raise DatabaseError(f"the file {database} is gone")

    def _truncate_wal(self) -> bool:
        with contextlib.closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            is_busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not is_busy

    async def _write(self, seconds: float | None, transaction: Callable[[Connection], T]) -> T:
        if self._is_sqlite:
            work = transaction if seconds is None else _begin_within(seconds, transaction)
            return await self._writer.enqueue(work, None)
        if seconds is None:
            return await self._commit_in_time(self._writer, self._timeouts.database_write, transaction)
        return await self._commit_in_time(self._submissions, seconds, transaction)

    async def _commit_in_time(
        self, writer: GroupCommit, seconds: float, transaction: Callable[[Connection], T]
    ) -> T:
        """Run a transaction whose commit begins within `seconds` or never."""
        deadline = CommitDeadline(seconds, self._timeouts.database_commit)
        result = writer.enqueue(transaction, deadline)
        try:
            await asyncio.wait({result}, timeout=seconds)
            if not result.done() and deadline.prevent_commit():
                raise DatabaseError(SILENT)
            return await result
        finally:
            result.cancel()

    async def _read(self, seconds: float, query: Callable[[Connection], T]) -> T:
        deadline = time.monotonic() + seconds

        def run() -> T:
            with respond_before(deadline):
                return transact(self._reading_engine, query)

        try:
            async with asyncio.timeout(None if self._is_sqlite else seconds):
                return await self._run_in(self._readers, run)
        except TimeoutError:
            raise DatabaseError(SILENT) from None

    async def _run_in(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    def _commit(self, transaction: Callable[[Connection], T]) -> T:
        try:
            self._check_file()  # SQLite would go on with the deleted file
            result = transact(self._engine, transaction)
        except Rejected:
            raise
        except DatabaseError as error:
            self._outage.begin(error)
            raise
        self._outage.note_write()
        return result


def transact(engine: Engine, transaction: Callable[[Connection], T]) -> T:
    """Run a transaction and commit it, unless the engine commits each statement; raises `DatabaseError`."""
    with translate_errors(), engine.begin() as connection:
        return transaction(connection)


def _is_unavailable(error: Exception) -> bool:
    return isinstance(error, DatabaseError) and not isinstance(error, Rejected)


def _begin_within(seconds: float, transaction: Callable[[Connection], T]) -> Callable[[Connection], T]:
    deadline = time.monotonic() + seconds

    def check_deadline_and_run(connection: Connection) -> T:
        if time.monotonic() > deadline:
            raise DatabaseError("too many transactions were waiting")
        return transaction(connection)

    return check_deadline_and_run

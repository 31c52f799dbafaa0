"""Commit the transactions that wait for a writer in batches: one connection, one thread, few commits."""

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from csat.db.errors import CommitUnknown, DatabaseError, translate_errors
from csat.db.transaction_deadlines import SILENT, CommitDeadline, begin_commits, respond_before

T = TypeVar("T")
Transaction = Callable[[Connection], T]


@dataclass(frozen=True)
class Committed(Generic[T]):
    """The result of a committed transaction."""

    result: T


@dataclass(frozen=True)
class Failed:
    """The error of a transaction that was rolled back."""

    error: Exception


Outcome = Committed[Any] | Failed


class CommitPrevented(Exception):
    """The deadline of a transaction of the batch has passed, so that the batch is rolled back."""


@dataclass(frozen=True, eq=False)
class PendingTransaction(Generic[T]):
    """A queued transaction; its result is cancelled if nobody waits for it any more."""

    transaction: Transaction[T]
    deadline: CommitDeadline | None
    result: asyncio.Future[T]

    @property
    def is_prevented(self) -> bool:
        """True if its deadline has passed before its commit began."""
        return self.deadline is not None and self.deadline.is_prevented


class GroupCommit:
    """A writer with a queue of transactions, each of which runs in a savepoint if its batch holds others.

    Args:
        transact: runs a function over a connection and commits; raises `DatabaseError`.
    """

    def __init__(self, transact: Callable[[Transaction[Any]], Any]) -> None:
        self._transact = transact
        self._thread = ThreadPoolExecutor(1, "db-writer")
        self._queue: list[PendingTransaction[Any]] = []
        self._is_writing = False

    def enqueue(self, transaction: Transaction[T], deadline: CommitDeadline | None) -> asyncio.Future[T]:
        """Add a transaction to the next batch, and return its future result or error.

        If the result is cancelled before the batch begins, the transaction does not run.
        """
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.append(PendingTransaction(transaction, deadline, result))
        self._write_next_batch()
        return result

    async def run_alone(self, work: Callable[[], T]) -> T:
        """Run a function in the writer's thread, between two batches."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Finish the current batch."""
        self._thread.shutdown()

    def _write_next_batch(self) -> None:
        batch = [pending for pending in self._queue if not pending.result.done()]
        if self._is_writing or not batch:
            return
        self._queue, self._is_writing = [], True
        writing = asyncio.get_running_loop().run_in_executor(self._thread, self._commit_batch, batch)
        writing.add_done_callback(partial(self._finish_batch, batch))

    def _finish_batch(
        self, batch: Sequence[PendingTransaction[Any]], writing: asyncio.Future[list[Outcome]]
    ) -> None:
        self._is_writing = False
        for pending, outcome in zip(batch, writing.result(), strict=True):
            if not pending.result.done():
                _set_outcome(pending.result, outcome)
        self._write_next_batch()

    def _commit_batch(self, batch: Sequence[PendingTransaction[Any]]) -> list[Outcome]:
        """Commit a batch; without the transactions whose deadline passes meanwhile."""
        outcomes: dict[PendingTransaction[Any], Outcome] = dict.fromkeys(batch, Failed(DatabaseError(SILENT)))
        while in_time := [pending for pending in batch if not pending.is_prevented]:
            try:
                outcomes.update(zip(in_time, self._transact_before_deadlines(in_time), strict=True))
            except CommitPrevented:
                continue
            except Exception as error:  # noqa: BLE001 - a transaction's own, raised to its caller
                outcomes.update(dict.fromkeys(in_time, Failed(error)))
            break
        return list(outcomes.values())

    def _transact_before_deadlines(self, batch: Sequence[PendingTransaction[Any]]) -> list[Outcome]:
        deadlines = [pending.deadline for pending in batch if pending.deadline]

        def run_and_begin_commit(connection: Connection) -> list[Outcome]:
            outcomes = _run_each(batch, connection)
            if not begin_commits(deadlines):
                raise CommitPrevented
            return outcomes

        try:
            with respond_before(max((deadline.moment for deadline in deadlines), default=math.inf)):
                outcomes: list[Outcome] = self._transact(run_and_begin_commit)
                return outcomes
        except DatabaseError as error:
            if any(deadline.commit_has_begun for deadline in deadlines):
                raise CommitUnknown(str(error)) from error
            if len(batch) > 1:  # which of them is rejected at the commit, is not known
                raise DatabaseError(str(error)) from error
            raise


def _set_outcome(result: asyncio.Future[Any], outcome: Outcome) -> None:
    match outcome:
        case Committed(value):
            result.set_result(value)
        case Failed(error):
            result.set_exception(error)


def _run_each(batch: Sequence[PendingTransaction[Any]], connection: Connection) -> list[Outcome]:
    if len(batch) == 1:
        return [Committed(batch[0].transaction(connection))]
    return [_run_in_savepoint(pending.transaction, connection) for pending in batch]


def _run_in_savepoint(transaction: Transaction[T], connection: Connection) -> Committed[T] | Failed:
    # it is not released but covered by the next one, which saves a round trip, and the commit ends them all
    _execute(connection, "SAVEPOINT pending")
    try:
        with translate_errors():
            return Committed(transaction(connection))
    except Exception as error:  # the transaction's own: raised to its caller, and the others go on
        if connection.invalidated:
            raise  # the whole batch is lost with its connection
        # if SQLite has rolled back everything, as it does when the disk is full, this fails the whole batch
        _execute(connection, "ROLLBACK TO pending")
        return Failed(error)


def _execute(connection: Connection, statement: str) -> None:
    """Execute a statement at a tenth of the cost of `exec_driver_sql()`; raises `DatabaseError`."""
    try:
        connection.connection.cursor().execute(statement)
    except connection.dialect.loaded_dbapi.Error as error:
        raise DatabaseError(str(error).partition("\n")[0]) from error

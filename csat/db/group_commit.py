"""Commit the transactions that wait for SQLite's single writer in batches, as syncing the disk is slow."""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from csat.db.errors import DatabaseError, translate_errors

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


@dataclass(eq=False)
class PendingTransaction(Generic[T]):
    """A queued transaction, and its outcome after the commit."""

    transaction: Transaction[T]
    is_cancelled: bool = False
    outcome: Committed[T] | Failed | None = None


class GroupCommit:
    """A queue of transactions, each of which runs once, in a savepoint if its batch holds others.

    Args:
        transact: runs a function over a connection and commits; raises `DatabaseError`.
    """

    def __init__(self, transact: Callable[[Transaction[Any]], Any]) -> None:
        self._transact = transact
        self._queue: deque[PendingTransaction[Any]] = deque()

    def enqueue(self, transaction: Transaction[T]) -> PendingTransaction[T]:
        """Add a transaction to the next batch; can be called from any thread."""
        pending = PendingTransaction(transaction)
        self._queue.append(pending)
        return pending

    def run(self, pending: PendingTransaction[T]) -> T:
        """Return the result of a transaction or raise its error, after committing the queue if necessary.

        Must be called in the writer's thread.
        """
        if pending.outcome is None:
            self._commit_batch()
        match pending.outcome:
            case Committed(result):
                return result
            case Failed(error):
                raise error
        raise DatabaseError("the transaction was cancelled before it began")

    def _commit_batch(self) -> None:
        queued = [self._queue.popleft() for _ in range(len(self._queue))]
        batch = [pending for pending in queued if not pending.is_cancelled]
        try:
            outcomes = self._transact(partial(_run_each, batch))
        except sqlite3.Error as error:
            outcomes = [Failed(DatabaseError(str(error)))] * len(batch)
        except Exception as error:  # noqa: BLE001 - raised to the callers
            outcomes = [Failed(error)] * len(batch)
        for pending, outcome in zip(batch, outcomes, strict=True):
            pending.outcome = outcome


def _run_each(
    batch: Sequence[PendingTransaction[Any]], connection: Connection
) -> list[Committed[Any] | Failed]:
    if len(batch) == 1:
        return [Committed(batch[0].transaction(connection))]
    return [_run_in_savepoint(pending.transaction, connection) for pending in batch]


def _run_in_savepoint(transaction: Transaction[T], connection: Connection) -> Committed[T] | Failed:
    execute = connection.connection.cursor().execute  # a tenth of the cost of `exec_driver_sql()`
    execute("SAVEPOINT pending")
    try:
        with translate_errors():
            result = transaction(connection)
    except Exception as error:  # noqa: BLE001 - raised to the caller of this transaction alone
        # if SQLite has rolled back everything, as it does when the disk is full, this fails the whole batch
        execute("ROLLBACK TO pending")
        return Failed(error)
    execute("RELEASE pending")
    return Committed(result)

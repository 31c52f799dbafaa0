"""Commit the transactions that wait for SQLite's single writer in batches, as syncing the disk is slow."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from csat.db.errors import DatabaseError, translate_errors

T = TypeVar("T")
Transaction = Callable[[Connection], T]


@dataclass(eq=False)
class PendingTransaction(Generic[T]):
    """A queued transaction and its future, which gets the result after the commit."""

    transaction: Transaction[T]
    future: Future[T] = field(default_factory=Future)


class GroupCommit:
    """A queue of transactions, each of which runs once, in a savepoint of its batch.

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
        if not pending.future.done():
            self._commit_batch()
        return pending.future.result(timeout=0)

    def _commit_batch(self) -> None:
        queued = [self._queue.popleft() for _ in range(len(self._queue))]
        batch = [pending for pending in queued if pending.future.set_running_or_notify_cancel()]
        try:
            setters = self._transact(partial(_run_each, batch))
        except DatabaseError as error:
            setters = [partial(pending.future.set_exception, error) for pending in batch]
        for set_outcome in setters:
            set_outcome()


def _run_each(batch: Sequence[PendingTransaction[Any]], connection: Connection) -> list[Callable[[], None]]:
    return [_run_in_savepoint(pending, connection) for pending in batch]


def _run_in_savepoint(pending: PendingTransaction[Any], connection: Connection) -> Callable[[], None]:
    """Run a transaction, and return the call that sets its future's result or exception after the commit."""
    connection.exec_driver_sql("SAVEPOINT pending")  # a fifth of the cost of `Connection.begin_nested()`
    try:
        with translate_errors():
            result = pending.transaction(connection)
    except Exception as error:  # noqa: BLE001 - raised to the caller of this transaction alone
        # if SQLite has rolled back everything, as it does when the disk is full, this fails the whole batch
        connection.exec_driver_sql("ROLLBACK TO pending")
        return partial(pending.future.set_exception, error)
    connection.exec_driver_sql("RELEASE pending")
    return partial(pending.future.set_result, result)

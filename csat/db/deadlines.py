"""Deadlines of transactions on PostgreSQL, which hold even if the server says nothing any more."""

import contextlib
import math
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextvars import ContextVar

from csat.db.errors import DatabaseError

SILENT = "PostgreSQL did not respond in time"

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


def remaining_seconds() -> float:
    """Return how long this thread may still wait for PostgreSQL: 0 or more, infinity without a deadline."""
    return max(0.0, _deadline.get() - time.monotonic())


@contextlib.contextmanager
def respond_before(moment: float) -> Iterator[None]:
    """Let this thread wait for PostgreSQL only until a moment of `time.monotonic()`."""
    token = _deadline.set(moment)
    try:
        yield
    finally:
        _deadline.reset(token)


class CommitDeadline:
    """The moment by which a transaction begins its commit, or else never does.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self.moment = time.monotonic() + seconds
        self._commit: Future[None] = Future()

    @property
    def commit_has_begun(self) -> bool:
        """True once only PostgreSQL knows the outcome of the transaction."""
        return self._commit.running()

    def prevent_commit(self) -> bool:
        """Let the transaction never commit; return False if its commit has begun."""
        return self._commit.cancel()

    def begin_commit(self, seconds: float) -> None:
        """Give the commit at least `seconds`; raises `DatabaseError` if it was prevented.

        Must be called inside `respond_before(moment)`.
        """
        if not self._commit.set_running_or_notify_cancel():
            raise DatabaseError(SILENT)
        _deadline.set(max(self.moment, time.monotonic() + seconds))

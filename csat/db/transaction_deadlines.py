"""Deadlines of transactions on PostgreSQL, which hold even if the server says nothing any more."""

import contextlib
import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar

SILENT = "PostgreSQL did not respond in time"

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)
_lock = threading.Lock()
"""Held while a commit begins or is prevented."""


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


def respond_within(seconds: float) -> AbstractContextManager[None]:
    """Let this thread wait for PostgreSQL only that long from now on."""
    return respond_before(time.monotonic() + seconds)


class CommitDeadline:
    """The moment by which a transaction begins its commit, or else never does.

    Args:
        seconds: from now.
        commit_seconds: for a commit that has begun just in time.
    """

    def __init__(self, seconds: float, commit_seconds: float) -> None:
        self.moment = time.monotonic() + seconds
        self.commit_seconds = commit_seconds
        self.is_prevented = False
        self.commit_has_begun = False
        """True once only PostgreSQL knows the outcome of the transaction."""

    def prevent_commit(self) -> bool:
        """Let the transaction never commit; return False if its commit has begun."""
        with _lock:
            self.is_prevented = not self.commit_has_begun
            return self.is_prevented


def begin_commits(deadlines: Sequence[CommitDeadline]) -> bool:
    """Give the commit of transactions their time for it; return False if one of them was prevented.

    Must be called inside `respond_before`.
    """
    with _lock:
        if any(deadline.is_prevented for deadline in deadlines):
            return False
        for deadline in deadlines:
            deadline.commit_has_begun = True
    commit_seconds = max((deadline.commit_seconds for deadline in deadlines), default=0.0)
    _deadline.set(max(_deadline.get(), time.monotonic() + commit_seconds))
    return True

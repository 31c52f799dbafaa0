"""Log once when the database stops taking writes, and once when it takes them again."""

import logging
import threading
from time import monotonic

from csat.db.errors import DatabaseError, Locked

log = logging.getLogger(__name__)


class OutageLog:
    """Whether the database takes writes; shared by the writers' threads.

    Args:
        max_lock_seconds: how long another program may hold SQLite's lock, until that is an outage.
    """

    def __init__(self, max_lock_seconds: float) -> None:
        self._max_lock_seconds = max_lock_seconds
        self._lock = threading.Lock()
        self._is_ongoing = False
        self._locked_since: float | None = None

    @property
    def is_ongoing(self) -> bool:
        """True from the first write that failed until a write check that did not."""
        return self._is_ongoing

    def begin(self, error: DatabaseError) -> None:
        """Log that a write has failed, unless the one before has too.

        That another program holds SQLite's lock is logged only once it has lasted for `max_lock_seconds`.
        """
        if isinstance(error, Locked) and self._count_locked_seconds() < self._max_lock_seconds:
            return
        if self._change(is_ongoing=True):
            log.error("The database takes no writes: %s", error)

    def note_write(self) -> None:
        """Note that nobody holds SQLite's lock."""
        self._locked_since = None

    def end(self) -> None:
        """Log that the database has taken a write check, if an outage was ongoing."""
        if self._change(is_ongoing=False):
            log.info("The database takes writes again")

    def _count_locked_seconds(self) -> float:
        """Return for how long writes have found SQLite locked."""
        now = monotonic()
        if self._locked_since is None:
            self._locked_since = now
        return now - self._locked_since

    def _change(self, *, is_ongoing: bool) -> bool:
        with self._lock:
            before, self._is_ongoing = self._is_ongoing, is_ongoing
            return before != is_ongoing

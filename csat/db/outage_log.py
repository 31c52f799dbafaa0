"""Log once when the database stops taking writes, and once when it takes them again."""

import logging
import threading

from csat.db.errors import DatabaseError

log = logging.getLogger(__name__)


class OutageLog:
    """Whether the database takes writes; shared by the writers' threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_ongoing = False

    @property
    def is_ongoing(self) -> bool:
        """True from the first write that failed until a write check that did not."""
        return self._is_ongoing

    def begin(self, error: DatabaseError) -> None:
        """Log that a write has failed, unless the one before has too."""
        if self._change(is_ongoing=True):
            log.error("The database takes no writes: %s", error)

    def end(self) -> None:
        """Log that the database has taken a write check, if an outage was ongoing."""
        if self._change(is_ongoing=False):
            log.info("The database takes writes again")

    def _change(self, *, is_ongoing: bool) -> bool:
        with self._lock:
            before, self._is_ongoing = self._is_ongoing, is_ongoing
            return before != is_ongoing

"""Log a problem when it begins, and not each time that what failed is tried again."""

import logging


class ProblemLog:
    """Logs a problem as a warning; until it has ended, each repetition is logged at the level of debugging.

    Args:
        log: the logger.
        message: a message with a place for the cause.
    """

    def __init__(self, log: logging.Logger, message: str) -> None:
        self._log = log
        self._message = message
        self._is_ongoing = False

    def note(self, cause: object) -> None:
        """Log that something has failed."""
        self._log.log(logging.DEBUG if self._is_ongoing else logging.WARNING, self._message, cause)
        self._is_ongoing = True

    def end(self) -> None:
        """Let the next failure be a new problem."""
        self._is_ongoing = False

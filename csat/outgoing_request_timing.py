"""Observe how long requests to others take, and how they end."""

import time
from collections.abc import Callable

Observe = Callable[[str, str, float], None]
"""Takes the name of a request, its outcome ("ok" or the class of the error), and its duration in seconds."""


def ignore(_request: str, _outcome: str, _seconds: float) -> None:
    """Observe nothing."""


class Timed:
    """Observe the block as a request."""

    def __init__(self, observe: Observe, request: str) -> None:
        self._observe = observe
        self._request = request
        self._started = time.monotonic()

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Observe how the block has ended; its error is raised on."""
        outcome = error.__name__ if error else "ok"
        self._observe(self._request, outcome, time.monotonic() - self._started)

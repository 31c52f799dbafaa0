"""Observe how long requests to others take, and how they end."""

import contextlib
import time
from collections.abc import Callable, Iterator

Observe = Callable[[str, str, float], None]
"""Takes the name of a request, its outcome ("ok" or the class of the error), and its duration in seconds."""


def ignore(_request: str, _outcome: str, _seconds: float) -> None:
    """Observe nothing."""


@contextlib.contextmanager
def timed(observe: Observe, request: str) -> Iterator[None]:
    """Observe the block as a request."""
    started, outcome = time.monotonic(), "ok"
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        observe(request, outcome, time.monotonic() - started)

"""Work beside the requests: kept from the garbage collector, reported, finished before the end."""

import asyncio
import logging
import secrets
import time
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


def log_with_reference(error: BaseException, what: str) -> str:
    """Log an error that nobody expected, and return the short reference under which it is found."""
    reference = secrets.token_hex(3)
    log.error("Reference %s: %s failed", reference, what, exc_info=error)
    return reference


class Deadline:
    """A number of seconds that run from `begin`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def begin(self) -> None:
        """Let the time run."""
        self._end = time.monotonic() + self._seconds

    def left(self) -> float:
        """Return how many seconds are left; all of them while the time does not run."""
        return self._seconds if self._end is None else max(0.0, self._end - time.monotonic())


class BackgroundTasks:
    """The tasks that are under way."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Begin some work at once; its failure is reported under `name`."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def finish(self, seconds: float) -> None:
        """Wait until everything is done, new work included; what is left after `seconds` is cancelled."""
        try:
            async with asyncio.timeout(seconds):
                while self._running:
                    await asyncio.wait(self._running)
        except TimeoutError:
            log.warning("Cut off: %s", ", ".join(sorted(task.get_name() for task in self._running)))
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log_with_reference(error, task.get_name())

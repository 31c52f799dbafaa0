"""Background tasks: kept from the garbage collector, logged when they fail, finished on shutdown."""

import asyncio
import logging
import secrets
import time
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


def log_with_reference(error: BaseException, what: str) -> str:
    """Log an unexpected error, and return the short reference under which the log has it."""
    reference = secrets.token_hex(3)
    log.error("Reference %s: %s failed", reference, what, exc_info=error)
    return reference


class Deadline:
    """A number of seconds that count down from `begin`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def begin(self) -> None:
        """Start the countdown."""
        self._end = time.monotonic() + self._seconds

    def left(self) -> float:
        """Return the seconds left; all of them before `begin`."""
        return self._seconds if self._end is None else max(0.0, self._end - time.monotonic())


class BackgroundTasks:
    """The tasks in progress."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start a task; if it fails, the error is logged under `name`."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def is_running(self, name: str) -> bool:
        """Return True if a task with this name is in progress."""
        return any(task.get_name() == name for task in self._running)

    async def finish(self, seconds: float) -> None:
        """Wait for all tasks, new ones included; cancel what is not done after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while self._running:
                    await asyncio.wait(self._running)
        except TimeoutError:
            log.warning("Cancelled: %s", ", ".join(sorted(task.get_name() for task in self._running)))
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log_with_reference(error, task.get_name())

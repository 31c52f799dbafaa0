"""Periodic background tasks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from csat.background_tasks import BackgroundTasks
from csat.db.errors import DatabaseError
from csat.problem_log import ProblemLog
from csat.slack_api.error_explanations import explain
from csat.slack_api.errors import SlackError
from csat.surveys.transport_errors import TransportError
from csat.x_api.errors import AccountRefused

log = logging.getLogger(__name__)


class PeriodicTask(NamedTuple):
    """A task that the scheduler repeats."""

    name: str
    run: Callable[[], Awaitable[None]]
    interval: float
    """Seconds between the end of one run and the start of the next."""


class Scheduler:
    """Repeats periodic tasks; a run that fails does not end the repetition.

    Args:
        interval_scale: factor for all intervals.
    """

    def __init__(
        self, periodic_tasks: Sequence[PeriodicTask], tasks: BackgroundTasks, interval_scale: float = 1.0
    ) -> None:
        self._periodic_tasks = periodic_tasks
        self._tasks = tasks
        self._interval_scale = interval_scale

    async def run(self) -> None:
        """Run until cancelled; the runs that are in progress then finish as background tasks."""
        await asyncio.gather(*map(self._repeat, self._periodic_tasks))

    async def _repeat(self, task: PeriodicTask) -> None:
        failures = ProblemLog(log, f"Periodic task failed, retrying later: {task.name}: %s")
        while True:
            await asyncio.wait({self._tasks.start(self._run_once(task, failures), task.name)})
            await asyncio.sleep(task.interval * self._interval_scale)

    @staticmethod
    async def _run_once(task: PeriodicTask, failures: ProblemLog) -> None:
        try:
            await task.run()
        except AccountRefused:
            pass  # its client has logged it, once
        except (DatabaseError, SlackError, TransportError) as error:
            failures.note(explain(error) if isinstance(error, SlackError) else error)
        else:
            failures.end()

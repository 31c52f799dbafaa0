"""What is done over and over beside the requests, each work at its own pace."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from csat.db.errors import DatabaseError
from csat.slack_api.errors import SlackError
from csat.tasks import BackgroundTasks
from csat.x_api.errors import XError

log = logging.getLogger(__name__)


class PeriodicTask(NamedTuple):
    """Something to do again and again."""

    name: str
    do: Callable[[], Awaitable[None]]
    every: float
    """Seconds of rest between the end of one round and the next."""


class Scheduler:
    """Does each work in its turn, whatever became of the last round.

    Args:
        haste: what the rests are multiplied by; tests have less of them.
    """

    def __init__(self, works: Sequence[PeriodicTask], tasks: BackgroundTasks, haste: float = 1.0) -> None:
        self._works = works
        self._tasks = tasks
        self._haste = haste

    async def run(self) -> None:
        """Go on until cancelled; what is under way then is finished."""
        await asyncio.gather(*map(self._over_and_over, self._works))

    async def _over_and_over(self, work: PeriodicTask) -> None:
        while True:
            await asyncio.wait({self._tasks.start(self._round(work), work.name)})
            await asyncio.sleep(work.every * self._haste)

    @staticmethod
    async def _round(work: PeriodicTask) -> None:
        try:
            await work.do()
        except (DatabaseError, SlackError, XError) as error:
            log.warning("Put off %s: %s", work.name, error)

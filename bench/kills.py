"""Kill each app over and over while it sends surveys, and count what reached X twice or never.

The users submit a form again, with the same view, until it is acknowledged.
"""

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from bench.compared_apps import RunningApp
from bench.errors import BenchError
from bench.load_generator import Connection
from bench.result_statistics import KillCounts
from bench.slack_and_x_stub import CREATE, POST_EPHEMERAL, POST_MESSAGE, Call
from bench.slack_requests import RequestBuilder

USERS: Final = 8
PAUSE_SECONDS: Final = 0.05
"""Between two surveys of a user, and before a form is submitted again."""
ACK_SECONDS: Final = 3.0
LIFETIME_SECONDS: Final = (0.3, 1.0)
"""From an app's first acknowledgement until it is killed."""
SETTLE_SECONDS: Final = 180.0
"""By then each app has taken up what its killed processes left, which takes two minutes at most."""


@dataclass
class KilledApp:
    """An app that is killed, and the surveys that it acknowledged.

    Args:
        start: starts the app with the database that it had before.
        build_request: builds the submission of a survey.
        keys: the keys of new surveys.
    """

    start: Callable[[], AbstractAsyncContextManager[RunningApp]]
    build_request: RequestBuilder
    keys: Iterator[int]
    acknowledged: list[str] = field(default_factory=list)
    _port: int = 0
    _is_stopping: bool = False

    async def run(self, kills: int) -> None:
        """Kill the app, then start it again, and leave it the time to settle what is left."""
        async with self._users():
            for _ in range(kills):
                async with self._started() as running:
                    await asyncio.sleep(random.uniform(*LIFETIME_SECONDS))  # noqa: S311 - not a secret
                    os.kill(running.pid, signal.SIGKILL)
            async with self._started():
                self._is_stopping = True
                await asyncio.sleep(SETTLE_SECONDS)

    @contextlib.asynccontextmanager
    async def _started(self) -> AsyncIterator[RunningApp]:
        async with self.start() as running:
            self._port = running.port
            yield running

    @contextlib.asynccontextmanager
    async def _users(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for _ in range(USERS):
                group.create_task(self._submit_surveys())
            yield

    async def _submit_surveys(self) -> None:
        while not self._is_stopping:
            key = str(next(self.keys))
            is_acknowledged = False
            while not is_acknowledged:
                is_acknowledged = await self._submit(key)
                await asyncio.sleep(PAUSE_SECONDS)
            self.acknowledged.append(key)

    async def _submit(self, key: str) -> bool:
        """Submit a form; return True if it was acknowledged."""
        try:
            async with asyncio.timeout(ACK_SECONDS):
                connection = await Connection.open(self._port)
                with contextlib.closing(connection):
                    await connection.send(self.build_request(key))
        except (OSError, BenchError):  # TimeoutError is an OSError
            return False
        return True


def count_kills(keys: Sequence[str], calls: Sequence[Call]) -> KillCounts:
    """Return what became of acknowledged surveys, from all calls of their app."""
    created = Counter(call.key for call in calls if call.path == CREATE)
    told = {call.key for call in calls if call.path in {POST_MESSAGE, POST_EPHEMERAL}}
    never = [key for key in keys if not created[key]]
    return KillCounts(
        surveys=len(keys),
        twice=sum(created[key] > 1 for key in keys),
        never=len(never),
        never_untold=sum(key not in told for key in never),
    )

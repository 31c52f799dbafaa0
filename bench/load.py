"""The load: so many people at a time, each of whom begins anew when their journey has ended.

An operation begins when its request is written. It is acknowledged when the whole answer has arrived, and it
has ended when its last call has arrived at the stub. Both processes read the same clock.
"""

import asyncio
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self, cast

from bench.http1 import Message, Reader
from bench.slack_requests import Requests

LONGEST: float = 20.0
"""Seconds that an operation may take."""
PAUSE: float = 0.01
"""Seconds between two operations of a single person, so that what an app does last delays nobody."""

_OK = re.compile(rb"HTTP/1\.1 200 ")


class LoadError(Exception):
    """An app did not do what it should; the bench fails."""


class Connection(asyncio.Protocol):
    """A keep-alive connection to an app."""

    def __init__(self) -> None:
        self._reader = Reader()
        self._answer: asyncio.Future[Message] | None = None

    @classmethod
    async def to(cls, port: int) -> Self:
        """Connect; raises `OSError`."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    async def ask(self, request: bytes) -> None:
        """Send a request, and wait for its acknowledgement; raises `LoadError` where it is none."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answer = await self._answer
        if not _OK.match(answer.head) or b"response_action" in answer.body:
            raise LoadError(f"no acknowledgement: {answer.head[:80]!r} {answer.body[:300]!r}")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the app."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand on the answer."""
        for message in self._reader.feed(data):
            if self._answer and not self._answer.done():
                self._answer.set_result(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let nobody wait for what can't come."""
        if self._answer and not self._answer.done():
            self._answer.set_exception(LoadError(f"the connection was closed: {exc}"))

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


@dataclass
class Operation:
    """One journey; moments in nanoseconds."""

    key: str
    ends_with: str
    """The call whose arrival ends it."""
    ended: asyncio.Future[int]
    began: int = 0
    acked: int = 0


@dataclass
class Load:
    """Puts load on an app, and is told by the stub of every call."""

    keys: Iterator[int]
    _under_way: dict[str, Operation] = field(default_factory=dict)

    def called(self, path: str, key: str, at: int) -> None:
        """Note a call that arrived at the stub."""
        operation = self._under_way.get(key)
        if operation and operation.ends_with == path and not operation.ended.done():
            operation.ended.set_result(at)

    async def run(
        self, port: int, requests: Requests, ends_with: str, count: int, concurrency: int
    ) -> tuple[list[Operation], float]:
        """Do `count` operations, and return them with the seconds that they took together, without pauses."""
        connections = [await Connection.to(port) for _ in range(concurrency)]
        keys = [str(next(self.keys)) for _ in range(count)]
        pause = PAUSE if concurrency == 1 else 0.0
        waiting = iter(keys)  # shared: whoever is free takes the next
        began = time.perf_counter()
        try:
            async with asyncio.TaskGroup() as people:
                journeys = [
                    people.create_task(self._person(connection, requests, ends_with, waiting, pause))
                    for connection in connections
                ]
        except* LoadError as errors:
            raise errors.exceptions[0] from None
        seconds = time.perf_counter() - began - pause * count
        for connection in connections:
            connection.close()
        self._under_way.clear()
        return [operation for journey in journeys for operation in journey.result()], seconds

    async def _person(
        self, connection: Connection, requests: Requests, ends_with: str, keys: Iterable[str], pause: float
    ) -> list[Operation]:
        done = []
        for key in keys:
            if pause:
                await asyncio.sleep(pause)
            operation = Operation(key, ends_with, asyncio.get_running_loop().create_future())
            self._under_way[key] = operation
            try:
                async with asyncio.timeout(LONGEST):
                    await self._journey(connection, requests(key), operation)
            except TimeoutError:
                raise LoadError(f"{ends_with} did not arrive within {LONGEST:.0f} s") from None
            done.append(operation)
        return done

    async def _journey(self, connection: Connection, request: bytes, operation: Operation) -> None:
        operation.began = time.perf_counter_ns()
        await connection.ask(request)
        operation.acked = time.perf_counter_ns()
        await operation.ended

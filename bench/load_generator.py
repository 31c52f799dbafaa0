"""The load generator: a number of concurrent users, each starting the next operation when one is complete.

An operation starts when its request is written. It is acknowledged when the response has been received, and
complete when its final call has reached the stub. Both processes read the same clock.
"""

import asyncio
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self, cast

from bench.errors import BenchError
from bench.http1_parser import Message, Parser
from bench.slack_requests import RequestBuilder

OPERATION_TIMEOUT_SECONDS: float = 20.0
PAUSE_SECONDS: float = 0.01
"""Pause between the operations of a single user, so that an app's work after one doesn't delay the next."""

_OK = re.compile(rb"HTTP/1\.1 200 ")


class Connection(asyncio.Protocol):
    """A keep-alive connection to an app."""

    def __init__(self) -> None:
        self._parser = Parser()
        self._response: asyncio.Future[Message] | None = None

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect; raise OSError if that fails."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    async def send(self, request: bytes) -> None:
        """Send a request, and wait for its acknowledgement; raise BenchError if the app does not ack."""
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        response = await self._response
        if not _OK.match(response.head) or b"response_action" in response.body:
            raise BenchError(f"not acknowledged: {response.head[:80]!r} {response.body[:300]!r}")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse responses."""
        for message in self._parser.feed(data):
            if self._response and not self._response.done():
                self._response.set_result(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the pending request."""
        if self._response and not self._response.done():
            self._response.set_exception(BenchError(f"the connection was closed: {exc}"))

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


@dataclass
class Operation:
    """One command or submission; times in nanoseconds."""

    key: str
    final_call: str
    """The path of the call that completes it."""
    completed_at: asyncio.Future[int]
    started_at: int = 0
    acked_at: int = 0


@dataclass
class LoadGenerator:
    """Send requests to an app, and match them with the calls that the stub receives."""

    keys: Iterator[int]
    _in_flight: dict[str, Operation] = field(default_factory=dict)

    def record_call(self, path: str, key: str, at: int) -> None:
        """Complete the operation whose final call has reached the stub."""
        operation = self._in_flight.get(key)
        if operation and operation.final_call == path and not operation.completed_at.done():
            operation.completed_at.set_result(at)

    async def run(
        self, port: int, build_request: RequestBuilder, final_call: str, count: int, concurrency: int
    ) -> tuple[list[Operation], float]:
        """Run `count` operations, and return them with the seconds they took in total, without pauses."""
        connections = [await Connection.open(port) for _ in range(concurrency)]
        keys = iter([str(next(self.keys)) for _ in range(count)])  # shared by all users
        pause = PAUSE_SECONDS if concurrency == 1 else 0.0
        started_at = time.perf_counter()
        try:
            async with asyncio.TaskGroup() as group:
                users = [
                    group.create_task(self._run_user(connection, build_request, final_call, keys, pause))
                    for connection in connections
                ]
        except* BenchError as errors:
            raise errors.exceptions[0] from None
        seconds = time.perf_counter() - started_at - pause * count
        for connection in connections:
            connection.close()
        self._in_flight.clear()
        return [operation for user in users for operation in user.result()], seconds

    async def _run_user(
        self,
        connection: Connection,
        build_request: RequestBuilder,
        final_call: str,
        keys: Iterable[str],
        pause: float,
    ) -> list[Operation]:
        operations = []
        for key in keys:
            if pause:
                await asyncio.sleep(pause)
            operation = Operation(key, final_call, asyncio.get_running_loop().create_future())
            self._in_flight[key] = operation
            try:
                async with asyncio.timeout(OPERATION_TIMEOUT_SECONDS):
                    await self._run_operation(connection, build_request(key), operation)
            except TimeoutError:
                message = f"{final_call} was not called within {OPERATION_TIMEOUT_SECONDS:.0f} s"
                raise BenchError(message) from None
            operations.append(operation)
        return operations

    async def _run_operation(self, connection: Connection, request: bytes, operation: Operation) -> None:
        operation.started_at = time.perf_counter_ns()
        await connection.send(request)
        operation.acked_at = time.perf_counter_ns()
        await operation.completed_at

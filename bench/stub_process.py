"""The stub's process, from outside."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from bench.apps import LONGEST_START, ROOT
from bench.linux import pinned
from bench.stub import Call

Called = Callable[[str, str, int], None]


class StubProcess(asyncio.Protocol):
    """Tells of every call at once, and hands over what was called.

    Args:
        called: told of the path, key and moment of each call.
    """

    def __init__(self, called: Called, pid: int) -> None:
        self.pid = pid
        self._called = called
        self._arrived = bytearray()
        self._port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._calls: asyncio.Future[list[Call]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the stub."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Read what the stub tells."""
        self._arrived += data
        *lines, rest = self._arrived.split(b"\n")
        self._arrived = bytearray(rest)
        for line in lines:
            self._read(json.loads(line))

    async def port(self) -> int:
        """Return the port that the stub serves."""
        return await asyncio.wait_for(self._port, LONGEST_START)

    def order(self, **what: Any) -> None:  # noqa: ANN401 - see `bench.stub`
        """Have the stub do something else from now on."""
        self._transport.write(json.dumps(what).encode() + b"\n")

    async def collect(self) -> list[Call]:
        """Return every call since the last time."""
        self._calls = asyncio.get_running_loop().create_future()
        self.order(collect=True)
        return await self._calls

    def _read(self, told: Any) -> None:  # noqa: ANN401 - see `bench.stub`
        match told:
            case [path, key, at]:
                self._called(path, key, at)
            case {"calls": calls} if self._calls:
                self._calls.set_result([Call(*call) for call in calls])
            case int(port):
                self._port.set_result(port)


@contextlib.asynccontextmanager
async def stub_process(core: int, called: Called) -> AsyncIterator[StubProcess]:
    """Run the stub on a core; it ends with the block."""
    mine, its = socket.socketpair()
    mine.settimeout(0)
    with pinned(core), its:
        process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own command
            [sys.executable, "-m", "bench.stub", str(its.fileno())], cwd=ROOT, pass_fds=[its.fileno()]
        )
    loop = asyncio.get_running_loop()
    transport, stub = await loop.create_connection(lambda: StubProcess(called, process.pid), sock=mine)
    try:
        yield stub
    finally:
        transport.close()
        await asyncio.to_thread(process.wait)

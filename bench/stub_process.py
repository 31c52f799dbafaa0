"""Start and control the stub's process."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from bench.compared_apps import ROOT, START_TIMEOUT_SECONDS
from bench.linux import children_pinned_to
from bench.slack_and_x_stub import Call

OnCall = Callable[[str, str, int], None]


class StubProcess(asyncio.Protocol):
    """The load generator's end of the control socket.

    Args:
        on_call: called with the path, key and time of each call that the stub receives.
    """

    def __init__(self, on_call: OnCall, pid: int) -> None:
        self.pid = pid
        self._on_call = on_call
        self._buffer = bytearray()
        self._port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._calls: asyncio.Future[list[Call]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Handle each complete line."""
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            self._handle(json.loads(line))

    async def wait_for_port(self) -> int:
        """Return the stub's port once it serves."""
        return await asyncio.wait_for(self._port, START_TIMEOUT_SECONDS)

    def send_command(self, **command: object) -> None:
        """Send a command; see `bench.slack_and_x_stub.Stub`."""
        self._transport.write(json.dumps(command).encode() + b"\n")

    async def collect_calls(self) -> list[Call]:
        """Return all calls since the previous collection."""
        self._calls = asyncio.get_running_loop().create_future()
        self.send_command(collect=True)
        return await self._calls

    def _handle(self, message: Any) -> None:  # noqa: ANN401 - JSON
        match message:
            case [path, key, at]:
                self._on_call(path, key, at)
            case {"calls": calls} if self._calls:
                self._calls.set_result([Call(*call) for call in calls])
            case int(port):
                self._port.set_result(port)


@contextlib.asynccontextmanager
async def run_stub(core: int, on_call: OnCall) -> AsyncIterator[StubProcess]:
    """Run the stub on a core until the block ends."""
    our_end, stub_end = socket.socketpair()
    our_end.settimeout(0)
    with children_pinned_to(core), stub_end:
        process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own command
            [sys.executable, "-m", "bench.slack_and_x_stub", str(stub_end.fileno())],
            cwd=ROOT,
            pass_fds=[stub_end.fileno()],
        )
    loop = asyncio.get_running_loop()
    transport, stub = await loop.create_connection(lambda: StubProcess(on_call, process.pid), sock=our_end)
    try:
        yield stub
    finally:
        transport.close()
        await asyncio.to_thread(process.wait)

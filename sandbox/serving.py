"""Serve an ASGI app on a free port of this machine, inside the running event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LOOPBACK = "127.0.0.1"

GRACE = 1
"""Seconds that open requests have once the server stops."""
TICK = 0.001
"""Seconds between two looks at what is still open then."""


@contextlib.asynccontextmanager
async def serve(
    app: ASGIApp, port: int = 0, websocket: type[asyncio.Protocol] = WebSocketsSansIOProtocol
) -> AsyncIterator[str]:
    """Serve `app` on 127.0.0.1 until the block ends, and yield its base URL (no slash at the end).

    Port 0 lets the system choose a free one; `websocket` is uvicorn's end of each WebSocket.
    """
    listener = socket.create_server((LOOPBACK, port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # every connection inherits it
    server = _Server(
        uvicorn.Config(
            app,
            ws=websocket,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    await server.up.wait()
    try:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    finally:
        server.down.set()
        await running


class _Server(uvicorn.Server):
    """A server that says when it is up, stops when told, and leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.down = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def main_loop(self) -> None:
        await self.down.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's own
        """Take nothing new and let open requests end, as uvicorn does, but without its pause of 0.1 s."""
        for server in self.servers:
            server.close()
        try:
            async with asyncio.timeout(GRACE):
                await self._drain()
        except TimeoutError:
            await self._cut()

    async def _drain(self) -> None:
        """Tell each connection that this is the end, and wait for all to be closed."""
        told = set[object]()
        while True:
            for connection in self.server_state.connections - told:
                told.add(connection)
                if not connection.transport.is_closing():
                    connection.shutdown()
            await asyncio.sleep(TICK)
            if not self.server_state.connections and not self.server_state.tasks:
                return

    async def _cut(self) -> None:
        """End what does not end by itself."""
        for connection in self.server_state.connections:
            connection.transport.abort()
        for task in self.server_state.tasks:
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

"""Serve the app's own HTTP routes inside the running event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

GRACE = 1
"""Seconds that open requests have once the server stops."""


@contextlib.asynccontextmanager
async def serving(routes: Sequence[Route], host: str, port: int) -> AsyncIterator[str]:
    """Serve routes until the block ends, and yield the base URL; `OSError` where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # every connection inherits it
    server = _Server(
        uvicorn.Config(
            Starlette(routes=routes),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.down.set()
        await running


class _Server(uvicorn.Server):
    """A server that stops as soon as it is told, and leaves the process's signals to the app."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.down = asyncio.Event()

    async def main_loop(self) -> None:
        """Keep the answers' date right; uvicorn wakes ten times a second for that."""
        while not self.down.is_set():
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.down.wait(), timeout=1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let open requests end; uvicorn pauses for that in any case."""
        if self.server_state.connections:
            await super().shutdown(sockets)
        for server in self.servers:
            server.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

"""Serve an ASGI app on a free port of this machine, inside the running event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator

import uvicorn
from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serve `app` on 127.0.0.1 until the block ends, and yield its base URL (no slash at the end).

    Port 0 lets the system choose a free one.
    """
    listener = socket.create_server((LOOPBACK, port))
    server = _Server(
        uvicorn.Config(
            app,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
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

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

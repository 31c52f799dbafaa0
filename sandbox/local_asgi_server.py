"""Serve an ASGI app on a free local port, inside the running event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LOOPBACK = "127.0.0.1"

KEEP_ALIVE_SECONDS = 60
"""How long an idle connection is kept: longer than clients keep it, so that no request meets its end."""
GRACEFUL_SHUTDOWN_SECONDS = 1
SHUTDOWN_POLL_SECONDS = 0.001


@contextlib.asynccontextmanager
async def serve(
    app: ASGIApp,
    port: int = 0,
    websocket: type[asyncio.Protocol] = WebSocketsSansIOProtocol,
    grace_seconds: float = GRACEFUL_SHUTDOWN_SECONDS,
) -> AsyncIterator[str]:
    """Serve `app` on 127.0.0.1 until the block ends, and yield its base URL, without a trailing slash.

    Args:
        app: The ASGI app; its lifespan is not run.
        port: The port, or 0 to let the system choose a free one.
        websocket: The protocol class that uvicorn uses for WebSockets.
        grace_seconds: How long open requests can go on once the block has ended.
    """
    listener = socket.create_server((LOOPBACK, port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else some responses wait for 40 ms
    config = uvicorn.Config(
        app,
        ws=websocket,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    try:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    finally:
        await _shut_down(server, grace_seconds)


async def _shut_down(server: uvicorn.Server, grace_seconds: float) -> None:
    """Stop listening and let open requests finish, or cancel them after the grace period.

    `uvicorn.Server.serve` polls every 0.1 seconds, which would add 0.3 seconds to the teardown of each test.
    """
    for listener in server.servers:
        listener.close()
    try:
        async with asyncio.timeout(grace_seconds):
            await _finish_requests(server.server_state)
    except TimeoutError:
        await _cancel_requests(server.server_state)


async def _finish_requests(state: uvicorn.server.ServerState) -> None:
    closing = set[object]()
    while True:
        for connection in state.connections - closing:
            closing.add(connection)
            if not connection.transport.is_closing():
                connection.shutdown()
        await asyncio.sleep(SHUTDOWN_POLL_SECONDS)
        if not state.connections and not state.tasks:
            return


async def _cancel_requests(state: uvicorn.server.ServerState) -> None:
    for connection in state.connections:
        connection.transport.abort()
    for task in state.tasks:
        task.cancel()
    await asyncio.gather(*state.tasks, return_exceptions=True)

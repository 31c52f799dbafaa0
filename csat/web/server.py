"""Serve the app's HTTP routes inside the running event loop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Generator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from csat.web.limited_http_protocol import KEEP_ALIVE_SECONDS, BoundedProtocol

GRACEFUL_SHUTDOWN_SECONDS = 1


@contextlib.asynccontextmanager
async def serve(routes: Sequence[Route], host: str, port: int, setting: str = "PORT") -> AsyncIterator[str]:
    """Serve routes until the block ends, and yield the base URL.

    Raises `OSError` if it can't listen there; it names the `setting` of the port, and that of the host.
    """
    listener = _listen(host, port, setting)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else some responses wait for 40 ms
    server = _Server(
        uvicorn.Config(
            Starlette(routes=routes),
            http=BoundedProtocol,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def _listen(host: str, port: int, setting: str) -> socket.socket:
    place = f"{setting.replace('PORT', 'HOST')} {host} and {setting} {port}"
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OSError(f"{setting} {port} is in use: stop what listens there, or set another.") from None
        raise OSError(f"{place} can't be listened at: {error.strerror}.") from None
    except UnicodeError:
        raise OSError(f"{place} can't be listened at: that is no host name.") from None


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to the app."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

"""Serve the app's HTTP routes inside the running event loop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from csat.timeouts import Timeouts
from csat.web.limited_http_protocol import BoundedProtocol

GRACEFUL_SHUTDOWN_SECONDS = 1

ExceptionHandler = Callable[[Request, Exception], Awaitable[Response]]


def bind(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket that keeps the port for this app, and refuses connections until it is served.

    Raises `OSError` if the app can't listen there; it names the `setting` of the port, and that of the host.
    """
    place = f"{setting.replace('PORT', 'HOST')} {host} and {setting} {port}"
    try:
        return _bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OSError(f"{setting} {port} is in use: stop what listens there, or set another.") from None
        raise OSError(f"{place} can't be listened at: {error.strerror}.") from None
    except UnicodeError:
        raise OSError(f"{place} can't be listened at: that is no host name.") from None


@contextlib.asynccontextmanager
async def serve(
    routes: Sequence[Route],
    listener: socket.socket,
    timeouts: Timeouts,
    exception_handlers: Mapping[Any, ExceptionHandler] | None = None,
) -> AsyncIterator[str]:
    """Serve routes on a bound socket until the block ends, and yield the base URL.

    `exception_handlers` are Starlette's, by the type of the exception. Raises `OSError` if another program
    that was bound there too has begun to listen first.
    """
    host, port = listener.getsockname()[:2]
    try:
        listener.listen()  # uvicorn would fail in a task, unnoticed
    except OSError as error:
        raise OSError(f"Port {port} can't be listened at: {error.strerror}.") from None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else some responses wait for 40 ms
    server = _Server(
        uvicorn.Config(
            Starlette(routes=routes, exception_handlers=exception_handlers),
            http=cast("type[asyncio.Protocol]", partial(BoundedProtocol, timeouts=timeouts)),
            timeout_keep_alive=timeouts.http_keep_alive,
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
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await task


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.ExitStack() as stack:
        bound = stack.enter_context(socket.socket(family))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a restart would wait for the port
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        stack.pop_all()
        return bound


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to the app."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

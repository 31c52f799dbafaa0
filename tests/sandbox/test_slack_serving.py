"""Servers keep idle connections for long enough, and shut down soon."""

import asyncio
import contextlib
import socket
import time
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from csat.web.server import bind
from csat.web.server import serve as serve_app
from csat.x_api.client import CONNECTION_LIMITS
from sandbox.local_asgi_server import KEEP_ALIVE_SECONDS, serve
from tests.local_client import local_client
from tests.timeouts import GENEROUS


class App(Starlette):
    """An app that answers once `released` is set."""

    def __init__(self, *, released: bool = False) -> None:
        super().__init__(routes=[Route("/", self.handle)])
        self.arrived = asyncio.Event()
        self.released = asyncio.Event()
        if released:
            self.released.set()

    async def handle(self, _: Request) -> Response:
        self.arrived.set()
        await self.released.wait()
        return PlainTextResponse("done")


def test_a_connection_is_kept_for_longer_than_the_app_would_use_it() -> None:
    assert CONNECTION_LIMITS.keepalive_expiry
    assert CONNECTION_LIMITS.keepalive_expiry < KEEP_ALIVE_SECONDS


async def test_an_idle_server_shuts_down_at_once() -> None:
    async with local_client() as client:
        async with serve(App(released=True), grace_seconds=60) as url:
            await client.get(url)
            started = time.perf_counter()
        ended = time.perf_counter() - started

    assert ended < 30


async def test_an_open_request_is_answered_before_shutdown() -> None:
    app = App()
    async with local_client() as client, contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve(app))
        request = asyncio.create_task(client.get(url))
        await app.arrived.wait()
        shutdown = asyncio.create_task(stack.aclose())
        await asyncio.sleep(0.05)
        assert not shutdown.done()

        app.released.set()
        await shutdown

        assert (await request).text == "done"


async def test_no_connection_is_accepted_after_shutdown() -> None:
    async with local_client() as client:
        async with serve(App(released=True)) as url:
            await client.get(url)

        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_request_that_outlasts_the_grace_period_is_cancelled() -> None:
    app = App()
    async with local_client() as client:
        async with serve(app, grace_seconds=0.05) as url:
            request = asyncio.create_task(client.get(url))
            await app.arrived.wait()

        with pytest.raises(httpx.RemoteProtocolError):
            await request


async def test_responses_do_not_wait_for_the_client_s_ack(monkeypatch: pytest.MonkeyPatch) -> None:
    listeners, create_server = list[socket.socket](), socket.create_server

    def create_and_note(*args: Any, **kwargs: Any) -> socket.socket:
        listeners.append(create_server(*args, **kwargs))
        return listeners[-1]

    monkeypatch.setattr(socket, "create_server", create_and_note)
    with bind("127.0.0.1", 0, "PORT") as listener:
        async with serve(App(released=True)), serve_app([], listener, GENEROUS):
            listeners.append(listener)
            assert [it.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for it in listeners] == [1, 1]

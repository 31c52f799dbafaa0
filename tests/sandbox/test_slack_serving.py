"""How a served app ends."""

import asyncio
import time

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.serving import serve


def slow(seconds: float) -> Starlette:
    """An app that takes its time."""

    async def take(_: Request) -> Response:
        await asyncio.sleep(seconds)
        return PlainTextResponse("done")

    return Starlette(routes=[Route("/", take)])


async def test_an_app_stops_at_once() -> None:
    async with httpx.AsyncClient() as client:
        async with serve(slow(0)) as url:
            await client.get(url)
            started = time.perf_counter()
        ended = time.perf_counter() - started

    assert ended < 0.08


async def test_an_open_request_is_answered_first() -> None:
    async with httpx.AsyncClient() as client:
        async with serve(slow(0.1)) as url:
            asking = asyncio.create_task(client.get(url))
            await asyncio.sleep(0.05)

        assert (await asking).text == "done"


async def test_nothing_new_is_taken_at_the_end() -> None:
    async with httpx.AsyncClient() as client:
        async with serve(slow(0)) as url:
            await client.get(url)

        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_request_that_does_not_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.serving.GRACE", 0.05)
    async with httpx.AsyncClient() as client:
        async with serve(slow(30)) as url:
            asking = asyncio.create_task(client.get(url))
            await asyncio.sleep(0.05)

        with pytest.raises(httpx.RemoteProtocolError):
            await asking

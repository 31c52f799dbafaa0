"""A client can occupy little of the HTTP server before it is authenticated, tried on a raw connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from csat.timeouts import Timeouts
from csat.web.limited_http_protocol import MAX_CONNECTIONS
from tests.timeouts import GENEROUS, WAIT_SECONDS
from tests.world import World, running_world

GET = b"GET /healthz HTTP/1.1\r\nhost: app\r\n\r\n"
POST = b"POST /slack/events HTTP/1.1\r\nhost: app\r\n"
ENDLESS_HEADS = {
    "one header": (POST + b"x: ", b"a"),
    "many headers": (POST, b"x: a\r\n"),
    "request line": (b"GET /", b"a"),
    "trailers": (POST + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"x: a\r\n"),
}


class Client(NamedTuple):
    """A connection to the app."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_response(self) -> bytes:
        """Return the status line and headers of a response, and skip its body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await self.reader.readexactly(int(length))
        return head

    async def read_until_closed(self) -> bytes:
        """Return everything that the app sends until it closes the connection."""
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.reader.read()

    async def repeat_until_closed(self, data: bytes) -> None:
        """Send a few bytes again and again until the app closes the connection."""
        reading = asyncio.create_task(self.read_until_closed())
        with contextlib.suppress(ConnectionError):
            while not reading.done():
                await self.send(data)
                await asyncio.wait({reading}, timeout=0.01)
            await reading
        reading.cancel()


@pytest.fixture(name="http")
async def _http(tmp_path: Path, timeouts: Timeouts) -> AsyncIterator[World]:
    async with running_world(tmp_path, socket=False, timeouts=timeouts) as world:
        yield world


@contextlib.asynccontextmanager
async def connect(world: World) -> AsyncIterator[Client]:
    """Open a connection to the app until the block ends."""
    address = urlsplit(world.url)
    client = Client(*await asyncio.open_connection(address.hostname, address.port))
    try:
        yield client
    finally:
        client.writer.close()
        with contextlib.suppress(ConnectionError):
            await client.writer.wait_closed()


def status(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])


@pytest.mark.parametrize(("beginning", "more"), ENDLESS_HEADS.values(), ids=ENDLESS_HEADS)
async def test_a_head_of_more_than_64_kb_is_rejected(http: World, beginning: bytes, more: bytes) -> None:
    async with connect(http) as client:
        await client.send(beginning + more * (66_000 // len(more)))
        response = await client.read_until_closed()

    assert status(response) == 431


async def test_a_head_of_60_kb_is_handled_and_its_connection_kept(http: World) -> None:
    request = GET.replace(b"\r\n\r\n", b"\r\nx: " + b"a" * 60_000 + b"\r\n\r\n")
    async with connect(http) as client:
        for _ in range(3):
            await client.send(request)
            assert status(await client.read_response()) == 200


async def test_requests_that_arrive_together_are_all_handled(http: World) -> None:
    async with connect(http) as client:
        await client.send(GET * 5)
        statuses = [status(await client.read_response()) for _ in range(5)]

    assert statuses == [200] * 5


@pytest.mark.parametrize(("beginning", "more"), [(b"", b"\r\n"), (POST + b"x: ", b"a")])
@pytest.mark.parametrize("timeouts", [replace(GENEROUS, http_head=0.2)])
async def test_a_head_must_arrive_in_time_even_if_it_goes_on(
    http: World, beginning: bytes, more: bytes
) -> None:
    async with connect(http) as silent, connect(http) as slow:
        await silent.send(beginning)
        await slow.send(beginning)
        response, _ = await asyncio.gather(silent.read_until_closed(), slow.repeat_until_closed(more))

    assert status(response) == 408


@pytest.mark.parametrize("path", ["/slack/events", "/x/feedback", "/healthz", "/nowhere"])
async def test_a_body_must_arrive_in_time_even_if_it_goes_on(tmp_path: Path, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nhost: app\r\ncontent-length: 100000\r\n\r\n".encode()
    webhook: dict[str, Any] = {"x_webhook_user": "x", "x_webhook_password": "secret"}
    async with (
        running_world(tmp_path, socket=False, timeouts=replace(GENEROUS, http_body=0.2), **webhook) as world,
        connect(world) as silent,
        connect(world) as slow,
    ):
        await asyncio.gather(silent.send(head), slow.send(head))

        await asyncio.gather(silent.read_until_closed(), slow.repeat_until_closed(b"a"))


@pytest.mark.parametrize("more", [b"", b"\r\n"])
@pytest.mark.parametrize("timeouts", [replace(GENEROUS, http_keep_alive=1, http_head=1)])
async def test_an_idle_connection_is_closed(http: World, more: bytes) -> None:
    async with connect(http) as client:
        await client.send(GET)
        assert status(await client.read_response()) == 200

        await client.repeat_until_closed(more)


async def test_connections_beyond_the_limit_are_refused_until_others_are_closed(
    http: World,
) -> None:
    async with contextlib.AsyncExitStack() as others:
        for _ in range(MAX_CONNECTIONS - 1):
            await others.enter_async_context(connect(http))
        async with connect(http) as last:
            await last.send(GET)
            assert status(await last.read_response()) == 200
            async with connect(http) as one_more:
                assert status(await one_more.read_until_closed()) == 503
        async with asyncio.timeout(WAIT_SECONDS):
            while (again := await try_request(http)) == 503:  # noqa: ASYNC110 - the app tells nobody of it
                await asyncio.sleep(0.003)

    assert again == 200


async def try_request(world: World) -> int:
    async with connect(world) as client:
        with contextlib.suppress(ConnectionError):
            await client.send(GET)
            return status(await client.read_response())
    return 503

"""Handshakes, and frozen connections."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from starlette.websockets import WebSocket, WebSocketDisconnected

from sandbox.slack import ActionOutcome, Workspace
from sandbox.slack.fixtures import ADA, SUPPORT
from tests.sandbox.slack_kit import call, workspace


async def connection_url(slack: Workspace) -> str:
    """Return the URL of a new connection."""
    return str((await call(slack, "apps.connections.open", slack.app_token))["url"])


@contextlib.asynccontextmanager
async def open_connection(slack: Workspace) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a connection and receive its hello."""
    async with aiohttp.ClientSession() as session:
        timeout = aiohttp.ClientWSTimeout(ws_close=0.05)
        socket = await session.ws_connect(await connection_url(slack), autoping=False, timeout=timeout)
        assert (await socket.receive_json())["type"] == "hello"
        yield socket
        await socket.close()


async def rejected_handshake(url: str) -> aiohttp.WSServerHandshakeError:
    """Try a handshake that fails, and return the error."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await session.ws_connect(url)
    return error.value


async def test_a_ticket_can_be_used_once() -> None:
    slack = workspace()
    async with slack.serve(), aiohttp.ClientSession() as session:
        url = await connection_url(slack)
        first = await session.ws_connect(url)
        hello = await first.receive_json()
        error = await rejected_handshake(url)
        await first.close()

    assert hello["type"] == "hello"
    assert error.status == 403


@pytest.mark.parametrize("query", ["", "?ticket=", "?ticket=made-up"])
async def test_a_handshake_with_an_unknown_ticket_is_rejected(query: str) -> None:
    slack = workspace()
    async with slack.serve() as base:
        error = await rejected_handshake(f"{base}/link/{query}")

    assert error.status == 403
    assert slack.connection_count == 0


async def test_a_delivery_fails_while_the_end_of_its_only_connection_is_not_noticed_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slack = workspace()
    async with slack.serve(), open_connection(slack):
        monkeypatch.setattr(WebSocket, "send_json", _has_ended)
        result = await slack.run_command(ADA, SUPPORT, "/csat")

    assert result.outcome is ActionOutcome.FAILED


async def _has_ended(*_: object) -> None:
    raise WebSocketDisconnected


async def test_handshakes_can_fail() -> None:
    slack = workspace()
    slack.faults.fail("socket", "503", times=2)
    async with slack.serve():
        failed = [(await rejected_handshake(await connection_url(slack))).status for _ in range(2)]
        async with open_connection(slack):
            connection_count = slack.connection_count

    assert failed == [503, 503]
    assert connection_count == 1


async def test_a_failed_handshake_uses_up_its_ticket() -> None:
    slack = workspace()
    slack.faults.fail("socket", "503")
    async with slack.serve():
        url = await connection_url(slack)
        statuses = [(await rejected_handshake(url)).status for _ in range(2)]

    assert statuses == [503, 403]


@pytest.mark.parametrize(("error", "status"), [("ratelimited", 429), ("internal_error", 403)])
async def test_a_failed_handshake_has_a_status_and_headers(error: str, status: int) -> None:
    slack = workspace()
    slack.faults.fail("socket", error, retry_after=30)
    async with slack.serve():
        rejected = await rejected_handshake(await connection_url(slack))

    assert rejected.status == status
    assert rejected.headers is not None
    assert rejected.headers.get("retry-after") == ("30" if status == 429 else None)


async def test_a_frozen_connection_stays_open_and_sends_nothing() -> None:
    slack = workspace(ack_timeout=0.05)
    async with slack.serve(), open_connection(slack) as socket:
        slack.freeze_sockets()
        await socket.ping(b"there?")
        result = await slack.run_command(ADA, SUPPORT, "/csat")

        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.05)
        assert result.failure == '/csat failed with the error "operation_timeout"'
        assert slack.connection_count == 1
        assert not socket.closed


async def test_a_frozen_connection_does_not_answer_a_close() -> None:
    slack = workspace()
    async with slack.serve(), open_connection(slack) as socket:
        slack.freeze_sockets()
        started = time.perf_counter()
        await socket.close()

        assert time.perf_counter() - started >= 0.05
        assert socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        await slack.wait_until(lambda: not slack.connection_count)


async def test_a_thawed_connection_processes_what_it_received() -> None:
    slack = workspace()
    async with slack.serve(), open_connection(slack) as socket:
        slack.freeze_sockets()
        await socket.ping(b"there?")
        running = asyncio.create_task(slack.run_command(ADA, SUPPORT, "/csat"))
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.02)
        slack.thaw_sockets()
        slack.thaw_sockets()
        pong, envelope = await socket.receive(), await socket.receive_json()
        await socket.send_json({"envelope_id": envelope["envelope_id"]})

        assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"there?")
        assert (await running).outcome is ActionOutcome.ACKNOWLEDGED


async def test_a_new_connection_works_beside_a_frozen_one() -> None:
    slack = workspace()
    async with slack.serve(), open_connection(slack) as frozen:
        slack.freeze_sockets()
        async with open_connection(slack) as socket:
            await socket.ping(b"there?")
            pong = await socket.receive()
            await slack.disconnect_sockets()
            disconnect = await socket.receive_json()

        assert pong.type is aiohttp.WSMsgType.PONG
        assert disconnect["type"] == "disconnect"
        assert slack.connection_count == 1
        assert not frozen.closed


async def test_a_delivery_fails_if_its_frozen_connection_is_lost() -> None:
    slack = workspace()
    async with slack.serve():
        async with open_connection(slack):
            slack.freeze_sockets()
            running = asyncio.create_task(slack.run_command(ADA, SUPPORT, "/csat"))
            await asyncio.sleep(0.01)
        result = await running

    assert result.failure == '/csat failed with the error "dispatch_failed"'


async def test_a_frozen_connection_does_not_delay_the_shutdown() -> None:
    slack = workspace()
    async with aiohttp.ClientSession() as session:
        async with slack.serve(grace_seconds=60):
            socket = await session.ws_connect(await connection_url(slack), autoping=False)
            await socket.receive_json()
            slack.freeze_sockets()
            running = asyncio.create_task(slack.run_command(ADA, SUPPORT, "/csat"))
            await asyncio.sleep(0.01)
            started = time.perf_counter()
        ended = time.perf_counter() - started
        closed = await socket.receive(timeout=60)

    assert ended < 30
    assert closed.type is aiohttp.WSMsgType.CLOSE
    assert (await running).outcome is ActionOutcome.FAILED

"""Handshakes that Slack refuses, and connections that freeze."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.slack import ActionOutcome, Workspace
from sandbox.slack.fixtures import ADA, SUPPORT
from tests.sandbox.test_slack_kit import call, workspace


async def address(slack: Workspace) -> str:
    """Ask for the address of one connection."""
    return str((await call(slack, "apps.connections.open", slack.app_token))["url"])


@contextlib.asynccontextmanager
async def linked(slack: Workspace) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open one connection and hear its greeting."""
    async with aiohttp.ClientSession() as session:
        timeout = aiohttp.ClientWSTimeout(ws_close=0.05)
        link = await session.ws_connect(await address(slack), autoping=False, timeout=timeout)
        assert (await link.receive_json())["type"] == "hello"
        yield link
        await link.close()


async def refused(url: str) -> aiohttp.WSServerHandshakeError:
    """Try a handshake, and return how it was refused."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await session.ws_connect(url)
    return refusal.value


async def test_a_ticket_admits_one_connection() -> None:
    slack = workspace()
    async with slack.serve(), aiohttp.ClientSession() as session:
        url = await address(slack)
        first = await session.ws_connect(url)
        hello = await first.receive_json()
        refusal = await refused(url)
        await first.close()

    assert hello["type"] == "hello"
    assert refusal.status == 403


@pytest.mark.parametrize("query", ["", "?ticket=", "?ticket=made-up"])
async def test_a_made_up_ticket_is_refused_in_the_handshake(query: str) -> None:
    slack = workspace()
    async with slack.serve() as base:
        refusal = await refused(f"{base}/link/{query}")

    assert refusal.status == 403
    assert slack.connection_count == 0


async def test_handshakes_can_be_made_to_fail() -> None:
    slack = workspace()
    slack.faults.fail("socket", "503", times=2)
    async with slack.serve():
        failed = [(await refused(await address(slack))).status for _ in range(2)]
        async with linked(slack):
            open_now = slack.connection_count

    assert failed == [503, 503]
    assert open_now == 1


async def test_a_handshake_that_fails_uses_its_ticket_up() -> None:
    slack = workspace()
    slack.faults.fail("socket", "503")
    async with slack.serve():
        url = await address(slack)
        statuses = [(await refused(url)).status for _ in range(2)]

    assert statuses == [503, 403]


@pytest.mark.parametrize(("error", "status"), [("ratelimited", 429), ("internal_error", 403)])
async def test_a_handshake_fails_with_a_status(error: str, status: int) -> None:
    slack = workspace()
    slack.faults.fail("socket", error, retry_after=30)
    async with slack.serve():
        refusal = await refused(await address(slack))

    assert refusal.status == status
    assert refusal.headers is not None
    assert refusal.headers.get("retry-after") == ("30" if status == 429 else None)


async def test_a_frozen_connection_stays_open_and_answers_nothing() -> None:
    slack = workspace(ack_seconds=0.05)
    async with slack.serve(), linked(slack) as link:
        slack.freeze_sockets()
        await link.ping(b"there?")
        unheard = await slack.run_command(ADA, SUPPORT, "/csat")

        with pytest.raises(TimeoutError):
            await link.receive(timeout=0.05)
        assert unheard.failure == '/csat failed with the error "operation_timeout"'
        assert slack.connection_count == 1
        assert not link.closed


async def test_a_frozen_connection_leaves_a_close_unanswered() -> None:
    slack = workspace()
    async with slack.serve(), linked(slack) as link:
        slack.freeze_sockets()
        started = time.perf_counter()
        await link.close()

        assert time.perf_counter() - started >= 0.05
        assert link.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        await slack.wait_until(lambda: not slack.connection_count)


async def test_a_released_connection_answers_what_it_missed() -> None:
    slack = workspace()
    async with slack.serve(), linked(slack) as link:
        slack.freeze_sockets()
        await link.ping(b"there?")
        sending = asyncio.create_task(slack.run_command(ADA, SUPPORT, "/csat"))
        with pytest.raises(TimeoutError):
            await link.receive(timeout=0.02)
        slack.thaw_sockets()
        slack.thaw_sockets()
        pong, envelope = await link.receive(), await link.receive_json()
        await link.send_json({"envelope_id": envelope["envelope_id"]})

        assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"there?")
        assert (await sending).outcome is ActionOutcome.ACKNOWLEDGED


async def test_an_app_comes_back_beside_a_frozen_connection() -> None:
    slack = workspace()
    async with slack.serve(), linked(slack) as frozen:
        slack.freeze_sockets()
        async with linked(slack) as link:
            await link.ping(b"there?")
            pong = await link.receive()
            await slack.disconnect_sockets()
            goodbye = await link.receive_json()

        assert pong.type is aiohttp.WSMsgType.PONG
        assert goodbye["type"] == "disconnect"
        assert slack.connection_count == 1
        assert not frozen.closed


async def test_a_frozen_connection_that_is_waited_for_can_be_lost() -> None:
    slack = workspace()
    async with slack.serve():
        async with linked(slack):
            slack.freeze_sockets()
            sending = asyncio.create_task(slack.run_command(ADA, SUPPORT, "/csat"))
            await asyncio.sleep(0.01)
        seen = await sending

    assert seen.failure == '/csat failed with the error "dispatch_failed"'


async def test_a_frozen_connection_does_not_hold_up_the_end() -> None:
    slack = workspace()
    async with aiohttp.ClientSession() as session:
        async with slack.serve():
            link = await session.ws_connect(await address(slack), autoping=False)
            await link.receive_json()
            slack.freeze_sockets()
            sending = asyncio.create_task(slack.run_command(ADA, SUPPORT, "/csat"))
            await asyncio.sleep(0.01)
            started = time.perf_counter()
        ended = time.perf_counter() - started
        closed = await link.receive(timeout=1)

    assert ended < 0.08
    assert closed.type is aiohttp.WSMsgType.CLOSE
    assert (await sending).outcome is ActionOutcome.FAILED

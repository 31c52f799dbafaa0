import asyncio
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.pubsub import PubSub
from sandbox.serving import serve
from sandbox.slack import ActionOutcome, Workspace
from sandbox.slack.fixtures import (
    ADA,
    LEADS,
    SUPPORT,
)
from sandbox.traffic import TrafficLog
from tests.sandbox.test_slack_kit import (
    Clock,
    Json,
    call,
    connected,
    listening,
    manifest,
    workspace,
)


@pytest.mark.parametrize("way", [connected, listening])
async def test_a_delivery_is_repeated_on_request(way: Any) -> None:
    triggers: list[str] = []

    async def take(ack: AsyncAck, body: Json) -> None:
        await ack()
        triggers.append(body["trigger_id"])

    slack = workspace()
    slack.faults.duplicate_deliveries = 1
    async with way(slack, lambda app: app.command("/csat")(take)):
        seen = await slack.run_command(ADA, SUPPORT, "/csat")
        await slack.redeliver(slack.deliveries[0])

    assert seen.outcome is ActionOutcome.ACKNOWLEDGED
    assert len(triggers) == 3
    assert len(set(triggers)) == 1
    assert len({delivery.envelope_id for delivery in slack.deliveries}) == 1


async def test_a_dropped_connection_comes_back() -> None:
    async def take(ack: AsyncAck) -> None:
        await ack()

    slack = workspace()
    async with connected(slack, lambda app: app.command("/csat")(take)):
        await slack.disconnect_sockets()
        assert slack.connection_count == 0
        await slack.wait_until(lambda: slack.connection_count, timeout_seconds=5)
        seen = await slack.run_command(ADA, SUPPORT, "/csat")

    assert seen.outcome is ActionOutcome.ACKNOWLEDGED


async def test_a_connection_greets_pongs_and_is_one_of_ten() -> None:
    slack = workspace()
    async with slack.serve(), aiohttp.ClientSession() as session:
        links = [await _link(slack, session) for _ in range(11)]
        greetings = [await link.receive_json() for link in links]
        await links[0].ping(b"sdk-ping-pong:1")
        pong = await links[0].receive()
        for link in links:
            await link.close()

    assert [greeting["type"] for greeting in greetings] == ["hello"] * 10 + ["disconnect"]
    assert greetings[-1]["reason"] == "too_many_websockets"
    assert greetings[0]["connection_info"] == {"app_id": slack.app_id}
    assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1")


async def test_each_envelope_goes_to_one_connection() -> None:
    slack = workspace()
    async with slack.serve(), aiohttp.ClientSession() as session:
        links = [await _link(slack, session) for _ in range(2)]
        greetings = [await link.receive_json() for link in links]
        envelopes = []
        for link in links:
            sending = asyncio.create_task(slack.run_command(ADA, SUPPORT, "/csat"))
            envelope = await link.receive_json()
            await link.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "Yes"}})
            envelopes.append(envelope)
            assert (await sending).outcome is ActionOutcome.REPLIED
        for link in links:
            await link.close()

    assert len(greetings) == 2
    assert [envelope["type"] for envelope in envelopes] == ["slash_commands"] * 2
    assert envelopes[0]["accepts_response_payload"]


async def test_requests_are_signed_and_marked_as_repeats() -> None:
    received: list[tuple[bytes, dict[str, str]]] = []

    async def take(request: Request) -> Response:
        received.append((await request.body(), dict(request.headers)))
        return PlainTextResponse("")

    slack = workspace()
    slack.faults.duplicate_deliveries = 1
    async with serve(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        slack.deliver_over_http(f"{url}/")
        await slack.run_command(ADA, SUPPORT, "/csat what's this payload=")

    verifier = SignatureVerifier(slack.signing_secret)
    assert all(verifier.is_valid_request(body, headers) for body, headers in received)
    assert not SignatureVerifier("another").is_valid_request(*received[0])
    assert sorted(headers.get("x-slack-retry-num", "0") for _, headers in received) == ["0", "1"]
    assert received[0][1]["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("status", "error"), [(404, "http_client_error"), (401, "http_client_error"), (500, "http_service_error")]
)
async def test_an_app_that_answers_badly_has_failed(status: int, error: str) -> None:
    async def take(_: Request) -> Response:
        return PlainTextResponse("no", status)

    slack = workspace()
    async with serve(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        slack.deliver_over_http(f"{url}/")
        seen = await slack.run_command(ADA, SUPPORT, "/csat")

    assert seen.failure == f'/csat failed with the error "{error}"'


async def test_an_app_that_is_gone_has_failed() -> None:
    slack = workspace()
    async with serve(Starlette()) as url:
        slack.deliver_over_http(url)
    seen = await slack.run_command(ADA, SUPPORT, "/csat")

    assert seen.failure == '/csat failed with the error "dispatch_failed"'
    slack.deliver_over_socket_mode()
    assert (await slack.run_command(ADA, SUPPORT, "/csat")).outcome is ActionOutcome.FAILED


async def test_waiting_ends() -> None:
    with pytest.raises(TimeoutError):
        await workspace().wait_until(lambda: None, timeout_seconds=0.001)


async def test_everything_that_passes_is_recorded() -> None:
    pubsub = PubSub()
    traffic = TrafficLog(pubsub)
    slack = Workspace(manifest(), Clock(), pubsub, traffic)
    slack.base_url = "http://slack.test"
    await slack.run_command(ADA, SUPPORT, "/csat @grace")
    await call(slack, "chat.postMessage", channel=LEADS, text=slack.bot_token)

    delivered, called = traffic.exchanges
    assert (delivered.sender, delivered.title) == ("slack", "slash command /csat")
    assert delivered.status == "dispatch_failed"
    assert (called.sender, called.title) == ("app", "POST chat.postMessage")
    assert called.status == "channel_not_found"
    assert slack.bot_token not in called.request


async def test_nobody_delivers_before_the_workspace_is_served() -> None:
    slack = Workspace(manifest())

    with pytest.raises(RuntimeError, match="base_url"):
        await slack.run_command(ADA, SUPPORT, "/csat")


async def _link(slack: Workspace, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    opened = await call(slack, "apps.connections.open", slack.app_token)
    return await session.ws_connect(opened["url"], autoping=False)

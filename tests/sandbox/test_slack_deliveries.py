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

from sandbox.local_asgi_server import serve
from sandbox.pubsub import PubSub
from sandbox.slack import ActionOutcome, Workspace
from sandbox.slack.fixtures import (
    ADA,
    LEADS,
    SUPPORT,
)
from sandbox.traffic_log import TrafficLog
from tests.sandbox.slack_kit import (
    Clock,
    Json,
    call,
    manifest,
    run_http_app,
    run_socket_mode_app,
    workspace,
)


@pytest.mark.parametrize("run_app", [run_socket_mode_app, run_http_app])
async def test_a_delivery_can_be_duplicated_and_redelivered(run_app: Any) -> None:
    triggers: list[str] = []

    async def handle(ack: AsyncAck, body: Json) -> None:
        await ack()
        triggers.append(body["trigger_id"])

    slack = workspace()
    slack.faults.duplicate_deliveries = 1
    async with run_app(slack, lambda app: app.command("/csat")(handle)):
        result = await slack.run_command(ADA, SUPPORT, "/csat")
        await slack.redeliver(slack.deliveries[0])

    assert result.outcome is ActionOutcome.ACKNOWLEDGED
    assert len(triggers) == 3
    assert len(set(triggers)) == 1
    assert len({delivery.envelope_id for delivery in slack.deliveries}) == 1


async def test_the_app_reconnects_after_a_disconnect() -> None:
    async def handle(ack: AsyncAck) -> None:
        await ack()

    slack = workspace()
    async with run_socket_mode_app(slack, lambda app: app.command("/csat")(handle)):
        await slack.disconnect_sockets()
        assert slack.connection_count == 0
        await slack.wait_until(lambda: slack.connection_count, timeout_seconds=5)
        result = await slack.run_command(ADA, SUPPORT, "/csat")

    assert result.outcome is ActionOutcome.ACKNOWLEDGED


async def test_a_connection_sends_hello_and_pongs_and_the_eleventh_is_disconnected() -> None:
    slack = workspace()
    async with slack.serve(), aiohttp.ClientSession() as session:
        sockets = [await _connect(slack, session) for _ in range(11)]
        greetings = [await socket.receive_json() for socket in sockets]
        await sockets[0].ping(b"sdk-ping-pong:1")
        pong = await sockets[0].receive()
        for socket in sockets:
            await socket.close()

    assert [greeting["type"] for greeting in greetings] == ["hello"] * 10 + ["disconnect"]
    assert greetings[-1]["reason"] == "too_many_websockets"
    assert greetings[0]["connection_info"] == {"app_id": slack.app_id}
    assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1")


async def test_each_envelope_is_sent_to_one_connection() -> None:
    slack = workspace()
    async with slack.serve(), aiohttp.ClientSession() as session:
        sockets = [await _connect(slack, session) for _ in range(2)]
        greetings = [await socket.receive_json() for socket in sockets]
        envelopes = []
        for socket in sockets:
            running = asyncio.create_task(slack.run_command(ADA, SUPPORT, "/csat"))
            envelope = await socket.receive_json()
            await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "Yes"}})
            envelopes.append(envelope)
            assert (await running).outcome is ActionOutcome.REPLIED
        for socket in sockets:
            await socket.close()

    assert len(greetings) == 2
    assert [envelope["type"] for envelope in envelopes] == ["slash_commands"] * 2
    assert envelopes[0]["accepts_response_payload"]


async def test_http_requests_are_signed_and_retries_are_marked() -> None:
    received: list[tuple[bytes, dict[str, str]]] = []

    async def handle(request: Request) -> Response:
        received.append((await request.body(), dict(request.headers)))
        return PlainTextResponse("")

    slack = workspace()
    slack.faults.duplicate_deliveries = 1
    async with serve(Starlette(routes=[Route("/", handle, methods=["POST"])])) as url:
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
async def test_a_delivery_fails_if_the_app_responds_with_an_http_error(status: int, error: str) -> None:
    async def handle(_: Request) -> Response:
        return PlainTextResponse("no", status)

    slack = workspace()
    async with serve(Starlette(routes=[Route("/", handle, methods=["POST"])])) as url:
        slack.deliver_over_http(f"{url}/")
        result = await slack.run_command(ADA, SUPPORT, "/csat")

    assert result.failure == f'/csat failed with the error "{error}"'


async def test_a_delivery_fails_if_the_app_is_unreachable() -> None:
    slack = workspace()
    async with serve(Starlette()) as url:
        slack.deliver_over_http(url)
    result = await slack.run_command(ADA, SUPPORT, "/csat")

    assert result.failure == '/csat failed with the error "dispatch_failed"'
    slack.deliver_over_socket_mode()
    assert (await slack.run_command(ADA, SUPPORT, "/csat")).outcome is ActionOutcome.FAILED


async def test_waiting_for_a_condition_times_out() -> None:
    with pytest.raises(TimeoutError):
        await workspace().wait_until(lambda: None, timeout_seconds=0.001)


async def test_deliveries_and_calls_are_recorded_in_the_traffic() -> None:
    pubsub = PubSub()
    traffic = TrafficLog(pubsub)
    slack = Workspace(manifest(), Clock(), pubsub, traffic)
    slack.base_url = "http://slack.test"
    await slack.run_command(ADA, SUPPORT, "/csat @grace")
    await call(slack, "chat.postMessage", channel=LEADS, text=slack.bot_token)

    delivery, api_call = traffic.exchanges
    assert (delivery.sender, delivery.title) == ("slack", "slash command /csat")
    assert delivery.status == "dispatch_failed"
    assert (api_call.sender, api_call.title) == ("app", "POST chat.postMessage")
    assert api_call.status == "channel_not_found"
    assert slack.bot_token not in api_call.request


async def test_nothing_is_delivered_before_the_workspace_is_served() -> None:
    slack = Workspace(manifest())

    with pytest.raises(RuntimeError, match="base_url"):
        await slack.run_command(ADA, SUPPORT, "/csat")


async def _connect(slack: Workspace, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    response = await call(slack, "apps.connections.open", slack.app_token)
    return await session.ws_connect(response["url"], autoping=False)

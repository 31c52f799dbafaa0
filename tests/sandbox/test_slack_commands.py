import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.local_asgi_server import serve
from sandbox.slack import ActionOutcome, SlackError
from sandbox.slack.fixtures import (
    ADA,
    ADA_AND_BEN,
    BEN,
    ESCALATIONS,
    GUS,
    LEADS,
    LOUNGE,
    OLD_SUPPORT,
    PARTNERS,
    SAM,
    SUPPORT,
)
from tests.sandbox.slack_kit import (
    Json,
    call,
    run_http_app,
    run_socket_mode_app,
    section,
    workspace,
)


@pytest.mark.parametrize("run_app", [run_socket_mode_app, run_http_app])
async def test_a_command_can_be_answered_in_the_acknowledgement(run_app: Any) -> None:
    async def reply(ack: AsyncAck) -> None:
        await ack("Only you")

    slack = workspace()
    async with run_app(slack, lambda app: app.command("/csat")(reply)):
        result = await slack.run_command(ADA, SUPPORT, "/csat")

    assert result.outcome is ActionOutcome.REPLIED
    assert result.message
    assert (result.message.text, result.message.visible_to) == ("Only you", ADA)


@pytest.mark.parametrize("run_app", [run_socket_mode_app, run_http_app])
async def test_a_message_shortcut_sends_the_message(run_app: Any) -> None:
    shortcuts: list[Json] = []

    async def handle(ack: AsyncAck, shortcut: Json) -> None:
        await ack()
        shortcuts.append(shortcut)

    slack = workspace()
    message = slack.messages(SUPPORT, ADA)[0]
    async with run_app(slack, lambda app: app.shortcut("survey")(handle)):
        result = await slack.run_shortcut(ADA, SUPPORT, message.ts, "survey")

    assert result.outcome is ActionOutcome.ACKNOWLEDGED
    assert shortcuts[0]["message"]["blocks"] == message.blocks
    assert shortcuts[0]["channel"] == {"id": SUPPORT, "name": "support"}
    assert shortcuts[0]["message_ts"] == message.ts


async def test_a_global_shortcut_has_no_channel() -> None:
    slack = workspace()

    await slack.run_global_shortcut(ADA, "anywhere")

    payload = slack.deliveries[-1].payload
    assert payload["type"] == "shortcut"
    assert "channel" not in payload
    assert "response_url" not in payload


@pytest.mark.parametrize(
    ("channel", "name"),
    [(SUPPORT, "support"), (ESCALATIONS, "privategroup"), (ADA_AND_BEN, "directmessage")],
)
async def test_a_command_sends_its_channel_and_user(channel: str, name: str) -> None:
    slack = workspace()

    await slack.run_command(ADA, channel, "/csat")

    payload = slack.deliveries[-1].payload
    assert (payload["channel_id"], payload["channel_name"], payload["user_name"]) == (channel, name, "ada")
    assert payload["api_app_id"] == slack.app_id


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("/csat @ben about #support", f"<@{BEN}|ben> about <#{SUPPORT}|support>"),
        ("/csat @grace_lopez_nw", "@grace_lopez_nw"),
        ("/csat a < b & c", "a &lt; b &amp; c"),
        ("/csat https://x.com/grace?a=1&b=2", "<https://x.com/grace?a=1&amp;b=2>"),
        ("/plain @ben a < b & c", "@ben a < b & c"),
        ("/csat", ""),
    ],
)
async def test_the_text_of_a_command_is_escaped_if_the_manifest_requests_it(line: str, text: str) -> None:
    slack = workspace()

    await slack.run_command(ADA, SUPPORT, line)

    assert slack.deliveries[-1].payload["text"] == text


@pytest.mark.parametrize(
    ("user", "channel", "line", "error"),
    [
        (ADA, SUPPORT, "/giphy cats", "invalid_command"),
        (SAM, PARTNERS, "/csat", "invalid_command"),
        (GUS, LOUNGE, "/csat", "not_in_channel"),
        (BEN, LEADS, "/csat", "channel_not_found"),
        (ADA, OLD_SUPPORT, "/csat", "is_archived"),
        ("U0NEVERWAS1", SUPPORT, "/csat", "user_not_found"),
    ],
)
async def test_slack_rejects_commands_that_the_user_cannot_run(
    user: str, channel: str, line: str, error: str
) -> None:
    slack = workspace()

    with pytest.raises(SlackError, match=error):
        await slack.run_command(user, channel, line)

    assert slack.deliveries == []


async def test_commands_cannot_be_run_in_threads() -> None:
    slack = workspace()
    parent = slack.messages(SUPPORT, ADA)[0]

    with pytest.raises(SlackError, match="not_supported_in_threads: /csat"):
        await slack.run_command(ADA, SUPPORT, "/csat", thread_ts=parent.ts)


async def test_shortcuts_that_are_not_in_the_manifest_are_rejected() -> None:
    slack = workspace()
    message = slack.messages(PARTNERS, ADA)[0]

    for user, callback_id in ((ADA, "other"), (ADA, "anywhere"), (SAM, "survey")):
        with pytest.raises(SlackError, match="invalid_shortcut"):
            await slack.run_shortcut(user, PARTNERS, message.ts, callback_id)
    with pytest.raises(SlackError, match="invalid_shortcut"):
        await slack.run_global_shortcut(ADA, "survey")


async def test_ephemeral_messages_have_no_shortcuts() -> None:
    slack = workspace()
    posted = await call(slack, "chat.postEphemeral", channel=SUPPORT, user=ADA, text="Only you")

    with pytest.raises(SlackError, match="message_not_found"):
        await slack.run_shortcut(ADA, SUPPORT, posted["message_ts"], "survey")


async def test_a_command_fails_without_a_connection() -> None:
    result = await workspace().run_command(ADA, SUPPORT, "/csat")

    assert result.outcome is ActionOutcome.FAILED
    assert result.failure == '/csat failed with the error "dispatch_failed"'


async def test_a_command_fails_if_the_acknowledgement_is_late() -> None:
    acknowledged = asyncio.Event()

    async def acknowledge_late(ack: AsyncAck) -> None:
        await acknowledged.wait()
        await ack()

    slack = workspace(ack_timeout=0.01)
    async with run_socket_mode_app(slack, lambda app: app.command("/csat")(acknowledge_late)):
        result = await slack.run_command(ADA, SUPPORT, "/csat")
        acknowledged.set()

    assert result.failure == '/csat failed with the error "operation_timeout"'


async def test_a_command_fails_if_the_response_is_invalid() -> None:
    async def reply(ack: AsyncAck) -> None:
        await ack(text="Hi", blocks=[section("")])

    slack = workspace()
    async with run_socket_mode_app(slack, lambda app: app.command("/csat")(reply)):
        result = await slack.run_command(ADA, SUPPORT, "/csat")

    assert result.failure == '/csat failed with the error "invalid_blocks"'


async def test_the_response_to_a_command_can_be_plain_text() -> None:
    async def handle(_: Request) -> Response:
        return PlainTextResponse("Only you")

    slack = workspace()
    async with serve(Starlette(routes=[Route("/", handle, methods=["POST"])])) as url:
        slack.deliver_over_http(f"{url}/")
        result = await slack.run_command(ADA, SUPPORT, "/csat")

    assert result.message
    assert result.message.text == "Only you"


async def test_a_message_of_a_legacy_bot_has_no_user() -> None:
    slack = workspace()
    message = next(message for message in slack.messages(SUPPORT, ADA) if not message.user)

    await slack.run_shortcut(ADA, SUPPORT, message.ts, "survey")

    message_json = slack.deliveries[-1].payload["message"]
    assert (message_json["subtype"], message_json["username"]) == ("bot_message", "Northwind Helpdesk")
    assert "user" not in message_json

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.serving import serve
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
from tests.sandbox.test_slack_kit import (
    Json,
    call,
    connected,
    listening,
    section,
    workspace,
)


@pytest.mark.parametrize("way", [connected, listening])
async def test_a_command_is_answered_in_its_acknowledgement(way: Any) -> None:
    async def answer(ack: AsyncAck) -> None:
        await ack("Only you")

    slack = workspace()
    async with way(slack, lambda app: app.command("/csat")(answer)):
        seen = await slack.run_command(ADA, SUPPORT, "/csat")

    assert seen.outcome is ActionOutcome.REPLIED
    assert seen.message
    assert (seen.message.text, seen.message.visible_to) == ("Only you", ADA)


@pytest.mark.parametrize("way", [connected, listening])
async def test_a_shortcut_brings_its_message(way: Any) -> None:
    told: list[Json] = []

    async def take(ack: AsyncAck, shortcut: Json) -> None:
        await ack()
        told.append(shortcut)

    slack = workspace()
    message = slack.messages(SUPPORT, ADA)[0]
    async with way(slack, lambda app: app.shortcut("survey")(take)):
        seen = await slack.run_shortcut(ADA, SUPPORT, message.ts, "survey")

    assert seen.outcome is ActionOutcome.ACKNOWLEDGED
    assert told[0]["message"]["blocks"] == message.blocks
    assert told[0]["channel"] == {"id": SUPPORT, "name": "support"}
    assert told[0]["message_ts"] == message.ts


async def test_a_global_shortcut_knows_no_channel() -> None:
    slack = workspace()

    await slack.run_global_shortcut(ADA, "anywhere")

    told = slack.deliveries[-1].payload
    assert told["type"] == "shortcut"
    assert "channel" not in told
    assert "response_url" not in told


@pytest.mark.parametrize(
    ("channel", "name"),
    [(SUPPORT, "support"), (ESCALATIONS, "privategroup"), (ADA_AND_BEN, "directmessage")],
)
async def test_a_command_tells_where_it_came_from(channel: str, name: str) -> None:
    slack = workspace()

    await slack.run_command(ADA, channel, "/csat")

    told = slack.deliveries[-1].payload
    assert (told["channel_id"], told["channel_name"], told["user_name"]) == (channel, name, "ada")
    assert told["api_app_id"] == slack.app_id


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
async def test_a_commands_text_is_escaped_as_the_manifest_says(line: str, text: str) -> None:
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
async def test_some_commands_never_reach_the_app(user: str, channel: str, line: str, error: str) -> None:
    slack = workspace()

    with pytest.raises(SlackError, match=error):
        await slack.run_command(user, channel, line)

    assert slack.deliveries == []


async def test_threads_have_no_commands() -> None:
    slack = workspace()
    parent = slack.messages(SUPPORT, ADA)[0]

    with pytest.raises(SlackError, match="not_supported_in_threads: /csat"):
        await slack.run_command(ADA, SUPPORT, "/csat", thread_ts=parent.ts)


async def test_shortcuts_that_are_not_in_the_manifest_are_refused() -> None:
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


async def test_without_a_connection_the_person_is_told() -> None:
    seen = await workspace().run_command(ADA, SUPPORT, "/csat")

    assert seen.outcome is ActionOutcome.FAILED
    assert seen.failure == '/csat failed with the error "dispatch_failed"'


async def test_who_acknowledges_too_late_has_failed() -> None:
    answered = asyncio.Event()

    async def late(ack: AsyncAck) -> None:
        await answered.wait()
        await ack()

    slack = workspace(ack_seconds=0.01)
    async with connected(slack, lambda app: app.command("/csat")(late)):
        seen = await slack.run_command(ADA, SUPPORT, "/csat")
        answered.set()

    assert seen.failure == '/csat failed with the error "operation_timeout"'


async def test_a_command_whose_answer_slack_refuses_has_failed() -> None:
    async def answer(ack: AsyncAck) -> None:
        await ack(text="Hi", blocks=[section("")])

    slack = workspace()
    async with connected(slack, lambda app: app.command("/csat")(answer)):
        seen = await slack.run_command(ADA, SUPPORT, "/csat")

    assert seen.failure == '/csat failed with the error "invalid_blocks"'


async def test_plain_text_is_an_answer_too() -> None:
    async def take(_: Request) -> Response:
        return PlainTextResponse("Only you")

    slack = workspace()
    async with serve(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        slack.deliver_over_http(f"{url}/")
        seen = await slack.run_command(ADA, SUPPORT, "/csat")

    assert seen.message
    assert seen.message.text == "Only you"


async def test_an_old_fashioned_bots_message_names_no_user() -> None:
    slack = workspace()
    message = next(message for message in slack.messages(SUPPORT, ADA) if not message.user)

    await slack.run_shortcut(ADA, SUPPORT, message.ts, "survey")

    told = slack.deliveries[-1].payload["message"]
    assert (told["subtype"], told["username"]) == ("bot_message", "Northwind Helpdesk")
    assert "user" not in told

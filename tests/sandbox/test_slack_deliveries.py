import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.bell import Bell
from sandbox.serving import serving
from sandbox.slack import Happening, Refused, Workspace
from sandbox.slack.acknowledgements import NO_CONNECTION
from sandbox.slack.cast import (
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
from sandbox.traffic import Traffic
from tests.sandbox.test_slack_kit import (
    Clock,
    Json,
    button,
    call,
    connected,
    listening,
    manifest,
    modal,
    options,
    plain,
    section,
    text_input,
    trigger,
    workspace,
)


def survey(app: AsyncApp, answer: Json | None = None) -> None:
    """Register an app that opens a form from a command and answers its submission."""

    async def open_form(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        blocks = [text_input("handle"), section(block_id="no_input")]
        await client.views_open(trigger_id=body["trigger_id"], view=modal(*blocks))

    async def submitted(ack: AsyncAck) -> None:
        await ack(**(answer or {}))

    app.command("/csat")(open_form)
    app.view("form")(submitted)


async def filled(slack: Workspace) -> None:
    """Let Ada open the form and fill it."""
    await slack.command(ADA, SUPPORT, "/csat")
    await slack.wait_until(lambda: slack.view_of(ADA))
    await slack.type_text(ADA, "handle", "@grace")


@pytest.mark.parametrize("way", [connected, listening])
async def test_a_command_opens_a_form_that_is_submitted(way: Any) -> None:  # noqa: ANN401 - two ways alike
    slack = workspace()
    async with way(slack, survey):
        await filled(slack)
        seen = await slack.submit(ADA)

    told = slack.deliveries[-1].payload
    assert (seen.happened, seen.view) == (Happening.CLOSED, None)
    assert told["view"]["state"]["values"]["handle"]["handle"]["value"] == "@grace"
    assert slack.deliveries[-1].answer == {}


@pytest.mark.parametrize("way", [connected, listening])
async def test_a_command_is_answered_in_its_acknowledgement(way: Any) -> None:  # noqa: ANN401 - two ways alike
    async def answer(ack: AsyncAck) -> None:
        await ack("Only you")

    slack = workspace()
    async with way(slack, lambda app: app.command("/csat")(answer)):
        seen = await slack.command(ADA, SUPPORT, "/csat")

    assert seen.happened is Happening.ANSWERED
    assert seen.message
    assert (seen.message.text, seen.message.visible_to) == ("Only you", ADA)


@pytest.mark.parametrize("way", [connected, listening])
async def test_a_shortcut_brings_its_message(way: Any) -> None:  # noqa: ANN401 - two ways alike
    told: list[Json] = []

    async def take(ack: AsyncAck, shortcut: Json) -> None:
        await ack()
        told.append(shortcut)

    slack = workspace()
    message = slack.messages(SUPPORT, ADA)[0]
    async with way(slack, lambda app: app.shortcut("survey")(take)):
        seen = await slack.shortcut(ADA, SUPPORT, message.ts, "survey")

    assert seen.happened is Happening.ACKNOWLEDGED
    assert told[0]["message"]["blocks"] == message.blocks
    assert told[0]["channel"] == {"id": SUPPORT, "name": "support"}
    assert told[0]["message_ts"] == message.ts


async def test_a_global_shortcut_knows_no_channel() -> None:
    slack = workspace()

    await slack.global_shortcut(ADA, "anywhere")

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

    await slack.command(ADA, channel, "/csat")

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

    await slack.command(ADA, SUPPORT, line)

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

    with pytest.raises(Refused, match=error):
        await slack.command(user, channel, line)

    assert slack.deliveries == []


async def test_threads_have_no_commands() -> None:
    slack = workspace()
    parent = slack.messages(SUPPORT, ADA)[0]

    with pytest.raises(Refused, match="not_supported_in_threads: /csat"):
        await slack.command(ADA, SUPPORT, "/csat", thread_ts=parent.ts)


async def test_shortcuts_that_are_not_in_the_manifest_are_refused() -> None:
    slack = workspace()
    message = slack.messages(PARTNERS, ADA)[0]

    for user, callback_id in ((ADA, "other"), (ADA, "anywhere"), (SAM, "survey")):
        with pytest.raises(Refused, match="invalid_shortcut"):
            await slack.shortcut(user, PARTNERS, message.ts, callback_id)
    with pytest.raises(Refused, match="invalid_shortcut"):
        await slack.global_shortcut(ADA, "survey")


async def test_ephemeral_messages_have_no_shortcuts() -> None:
    slack = workspace()
    posted = await call(slack, "chat.postEphemeral", channel=SUPPORT, user=ADA, text="Only you")

    with pytest.raises(Refused, match="message_not_found"):
        await slack.shortcut(ADA, SUPPORT, posted["message_ts"], "survey")


async def test_without_a_connection_the_person_is_told() -> None:
    seen = await workspace().command(ADA, SUPPORT, "/csat")

    assert seen.happened is Happening.FAILED
    assert seen.failure == '/csat failed with the error "dispatch_failed"'


async def test_who_acknowledges_too_late_has_failed() -> None:
    answered = asyncio.Event()

    async def late(ack: AsyncAck) -> None:
        await answered.wait()
        await ack()

    slack = workspace(ack_seconds=0.01)
    async with connected(slack, lambda app: app.command("/csat")(late)):
        seen = await slack.command(ADA, SUPPORT, "/csat")
        answered.set()

    assert seen.failure == '/csat failed with the error "operation_timeout"'


async def test_an_unacknowledged_form_stays_open() -> None:
    slack = workspace()
    async with connected(slack, survey):
        await filled(slack)
    seen = await slack.submit(ADA)

    assert (seen.happened, seen.failure) == (Happening.FAILED, NO_CONNECTION)
    assert seen.view
    assert seen.view.values["handle"]["handle"]["value"] == "@grace"


@pytest.mark.parametrize(
    ("answer", "happened", "title"),
    [
        ({"response_action": "errors", "errors": {"handle": "Who?"}}, Happening.ERRORS, "Survey"),
        (
            {"response_action": "update", "view": modal(title={"type": "plain_text", "text": "Sent"})},
            Happening.UPDATED,
            "Sent",
        ),
        (
            {"response_action": "push", "view": modal(title={"type": "plain_text", "text": "Sure?"})},
            Happening.PUSHED,
            "Sure?",
        ),
    ],
)
async def test_a_submission_is_answered_with_an_action(answer: Json, happened: Happening, title: str) -> None:
    slack = workspace()
    async with connected(slack, lambda app: survey(app, answer)):
        await filled(slack)
        seen = await slack.submit(ADA)

    assert seen.happened is happened
    assert seen.errors == answer.get("errors", {})
    assert seen.view
    assert seen.view.content["title"]["text"] == title


async def test_a_submission_may_clear_the_stack() -> None:
    slack = workspace()
    async with connected(slack, lambda app: survey(app, {"response_action": "clear"})):
        await filled(slack)
        seen = await slack.submit(ADA)

    assert (seen.happened, seen.view) == (Happening.CLEARED, None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"response_action": "errors", "errors": {"unknown": "Who?"}}, "invalid_errors"),
        ({"response_action": "errors", "errors": {"no_input": "Who?"}}, "invalid_errors"),
        ({"response_action": "update", "view": modal(section(""))}, "invalid_arguments"),
        ({"text": "Thanks"}, "invalid_response_action"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_trouble_connecting(answer: Json, error: str) -> None:
    slack = workspace()
    async with connected(slack, lambda app: survey(app, answer)):
        await filled(slack)
        seen = await slack.submit(ADA)

    assert (seen.happened, seen.failure) == (Happening.FAILED, NO_CONNECTION)
    assert slack.deliveries[-1].failure == error


async def test_a_submission_can_be_corrected_in_the_same_form() -> None:
    answers: Iterator[Json] = iter([{"response_action": "errors", "errors": {"handle": "Who?"}}, {}])

    async def submitted(ack: AsyncAck) -> None:
        await ack(**next(answers))

    def register(app: AsyncApp) -> None:
        survey(app)
        app.view("other")(submitted)

    slack = workspace()
    async with connected(slack, register):
        await filled(slack)
        first_id = slack.views_of(ADA)[0].id
        await call(slack, "views.update", view_id=first_id, view=modal(callback_id="other"))
        first = await slack.submit(ADA)
        second = await slack.submit(ADA)

    views = [delivery.payload["view"]["id"] for delivery in slack.deliveries[-2:]]
    assert (first.happened, second.happened) == (Happening.ERRORS, Happening.CLOSED)
    assert views == [first_id, first_id]


@pytest.mark.parametrize("way", [connected, listening])
async def test_a_delivery_is_repeated_on_request(way: Any) -> None:  # noqa: ANN401 - two ways alike
    triggers: list[str] = []

    async def take(ack: AsyncAck, body: Json) -> None:
        await ack()
        triggers.append(body["trigger_id"])

    slack = workspace()
    slack.troubles.repeats = 1
    async with way(slack, lambda app: app.command("/csat")(take)):
        seen = await slack.command(ADA, SUPPORT, "/csat")
        await slack.redeliver(slack.deliveries[0])

    assert seen.happened is Happening.ACKNOWLEDGED
    assert len(triggers) == 3
    assert len(set(triggers)) == 1
    assert len({delivery.envelope_id for delivery in slack.deliveries}) == 1


async def test_a_dropped_connection_comes_back() -> None:
    async def take(ack: AsyncAck) -> None:
        await ack()

    slack = workspace()
    async with connected(slack, lambda app: app.command("/csat")(take)):
        await slack.disconnect()
        assert slack.connections == 0
        await slack.wait_until(lambda: slack.connections, seconds=5)
        seen = await slack.command(ADA, SUPPORT, "/csat")

    assert seen.happened is Happening.ACKNOWLEDGED


async def test_a_connection_greets_pongs_and_is_one_of_ten() -> None:
    slack = workspace()
    async with slack.serving(), aiohttp.ClientSession() as session:
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


async def test_a_ticket_admits_one_connection() -> None:
    slack = workspace()
    async with slack.serving(), aiohttp.ClientSession() as session:
        opened = await call(slack, "apps.connections.open", slack.app_token)
        first = await session.ws_connect(opened["url"])
        second = await session.ws_connect(opened["url"])
        hello, refused = await first.receive_json(), await second.receive()
        await first.close()
        await second.close()

    assert hello["type"] == "hello"
    assert refused.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_each_envelope_goes_to_one_connection() -> None:
    slack = workspace()
    async with slack.serving(), aiohttp.ClientSession() as session:
        links = [await _link(slack, session) for _ in range(2)]
        greetings = [await link.receive_json() for link in links]
        envelopes = []
        for link in links:
            sending = asyncio.create_task(slack.command(ADA, SUPPORT, "/csat"))
            envelope = await link.receive_json()
            await link.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "Yes"}})
            envelopes.append(envelope)
            assert (await sending).happened is Happening.ANSWERED
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
    slack.troubles.repeats = 1
    async with serving(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        slack.deliver_over_http(f"{url}/")
        await slack.command(ADA, SUPPORT, "/csat what's this payload=")

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
    async with serving(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        slack.deliver_over_http(f"{url}/")
        seen = await slack.command(ADA, SUPPORT, "/csat")

    assert seen.failure == f'/csat failed with the error "{error}"'


async def test_an_app_that_is_gone_has_failed() -> None:
    slack = workspace()
    async with serving(Starlette()) as url:
        slack.deliver_over_http(url)
    seen = await slack.command(ADA, SUPPORT, "/csat")

    assert seen.failure == '/csat failed with the error "dispatch_failed"'
    slack.deliver_over_sockets()
    assert (await slack.command(ADA, SUPPORT, "/csat")).happened is Happening.FAILED


async def test_a_button_in_a_message_brings_message_and_value() -> None:
    slack = workspace()
    blocks = [
        section("Sent", block_id="sent", accessory=button("undo", value="survey-1", style="danger")),
        text_input("note"),
    ]
    parent = slack.messages(SUPPORT, ADA)[0]
    posted = await call(
        slack, "chat.postMessage", channel=SUPPORT, text="Sent", blocks=blocks, thread_ts=parent.ts
    )
    where = {"channel": SUPPORT, "ts": posted["ts"]}
    await slack.type_text(ADA, "note", "oops", **where)

    await slack.act(ADA, "undo", **where)

    told = slack.deliveries[-1].payload
    assert told["actions"][0]["value"] == "survey-1"
    assert told["container"]["thread_ts"] == parent.ts
    assert told["message"]["ts"] == posted["ts"]
    assert told["state"]["values"]["note"]["note"]["value"] == "oops"
    assert told["response_url"]


async def test_an_ephemeral_message_is_not_told_again() -> None:
    slack = workspace()
    blocks = [section("Sure?", accessory=button("yes"))]
    posted = await call(slack, "chat.postEphemeral", channel=SUPPORT, user=ADA, text="Sure?", blocks=blocks)
    where = {"channel": SUPPORT, "ts": posted["message_ts"]}

    await slack.act(ADA, "yes", **where)

    told = slack.deliveries[-1].payload
    assert told["container"]["is_ephemeral"]
    assert "message" not in told
    with pytest.raises(Refused, match="not_found"):
        await slack.act(BEN, "yes", **where)


async def test_somebody_elses_buttons_do_not_reach_the_app() -> None:
    slack = workspace()
    mirrored = slack.messages(SUPPORT, ADA)[0]
    action_id = mirrored.blocks[-1]["elements"][0]["action_id"]

    with pytest.raises(Refused, match="not_found"):
        await slack.act(ADA, action_id, channel=SUPPORT, ts=mirrored.ts)


async def test_a_stranger_presses_buttons_with_their_own_team() -> None:
    slack = workspace()
    blocks = [section("Sent", accessory=button("undo"))]
    posted = await call(slack, "chat.postMessage", channel=PARTNERS, text="Sent", blocks=blocks)

    await slack.act(SAM, "undo", channel=PARTNERS, ts=posted["ts"])

    told = slack.deliveries[-1].payload
    assert (told["user"]["id"], told["team"]["id"]) == (SAM, slack.team.id)
    assert told["user"]["team_id"] == slack.users[SAM].team_id != slack.team.id


async def test_typing_tells_the_app_where_it_asks() -> None:
    slack = workspace()
    at_once = {"trigger_actions_on": ["on_character_entered"]}
    blocks = [
        text_input("silent"),
        {**text_input("on_enter"), "dispatch_action": True},
        {**text_input("on_character", dispatch_action_config=at_once), "dispatch_action": True},
    ]
    slack_form = {"trigger_id": await trigger(slack), "view": modal(*blocks)}
    await call(slack, "views.open", **slack_form)
    before = len(slack.deliveries)

    for action_id in ("silent", "on_enter", "on_character"):
        await slack.type_text(ADA, action_id, "@grace")
        await slack.press_enter(ADA, action_id)

    told = [delivery.payload["actions"][0] for delivery in slack.deliveries[before:]]
    assert [action["action_id"] for action in told] == ["on_enter", "on_character"]
    assert told[0]["value"] == "@grace"


async def test_choosing_tells_the_app_outside_of_inputs() -> None:
    slack = workspace()
    overflow = {"type": "overflow", "action_id": "more", "options": options("edit", "drop")}
    pick = {"type": "static_select", "action_id": "pick", "options": options("one", "two")}
    pieces = [section(accessory=overflow), {"type": "actions", "elements": [pick]}]
    await call(slack, "views.open", trigger_id=await trigger(slack), view=modal(*pieces))

    await slack.act(ADA, "more", "drop")
    await slack.act(ADA, "pick", "two")

    more, picked = (delivery.payload["actions"][0] for delivery in slack.deliveries[-2:])
    assert more["selected_option"]["value"] == "drop"
    assert picked["selected_option"]["value"] == "two"
    with pytest.raises(Refused, match="invalid_option"):
        await slack.act(ADA, "more", "burn")


async def test_an_external_select_offers_what_the_app_suggests() -> None:
    async def suggest(ack: AsyncAck, payload: Json) -> None:
        await ack(options=options(payload["value"], "other"))

    async def nothing(ack: AsyncAck) -> None:
        await ack()

    def register(app: AsyncApp) -> None:
        app.options("who")(suggest)
        app.command("/csat")(nothing)
        app.action("who")(nothing)

    slack = workspace()
    element = {"type": "external_select", "action_id": "who", "min_query_length": 2}
    async with connected(slack, register):
        view = modal(section(accessory=element))
        await call(slack, "views.open", trigger_id=await trigger(slack), view=view)
        none = await slack.suggest(ADA, "who", "g")
        offered = await slack.suggest(ADA, "who", "grace")
        await slack.act(ADA, "who", "grace")

    assert none == []
    assert [option["value"] for option in offered] == ["grace", "other"]
    chosen = slack.deliveries[-1].payload["actions"][0]["selected_option"]
    assert chosen["value"] == "grace"


async def test_a_form_asks_for_an_address_where_it_wants_one() -> None:
    slack = workspace()
    element = {"type": "conversations_select", "action_id": "where", "response_url_enabled": True}
    block = {"type": "input", "block_id": "where", "label": modal()["title"], "element": element}
    await call(slack, "views.open", trigger_id=await trigger(slack), view=modal(block))
    await slack.act(ADA, "where", LEADS)

    await slack.submit(ADA)

    told = slack.deliveries[-1].payload["response_urls"][0]
    assert (told["channel_id"], told["block_id"]) == (LEADS, "where")


async def test_events_reach_the_app_that_subscribed_to_them() -> None:
    heard: list[Json] = []

    async def hear(event: Json) -> None:
        heard.append(event)

    subscribed = ("reaction_added", "message.channels", "app_mention", "app_home_opened", "tokens_revoked")
    slack = Workspace(manifest(events=subscribed), Clock())

    def register(app: AsyncApp) -> None:
        for name in ("reaction_added", "message", "app_mention", "app_home_opened", "tokens_revoked"):
            app.event(name)(hear)

    async with listening(slack, register):
        said = await slack.say(ADA, SUPPORT, f"hello <@{slack.bot.id}>")
        await slack.react(BEN, SUPPORT, said.ts, "star")
        await slack.react(BEN, LOUNGE, slack.messages(LOUNGE, BEN)[0].ts, "star")
        await slack.open_home(ADA)
        await slack.event({"type": "tokens_revoked", "tokens": {"bot": [slack.bot.id]}})
        await slack.wait_until(lambda: len(slack.deliveries) == 5)

    told = [delivery.payload["event"]["type"] for delivery in slack.deliveries]
    assert told == ["message", "app_mention", "reaction_added", "app_home_opened", "tokens_revoked"]
    assert slack.deliveries[2].payload["event"]["item"] == {
        "type": "message",
        "channel": SUPPORT,
        "ts": said.ts,
    }


async def test_events_nobody_subscribed_to_are_not_sent() -> None:
    slack = workspace()
    said = await slack.say(ADA, SUPPORT, "hello")
    await slack.react(BEN, SUPPORT, said.ts, "star")

    with pytest.raises(Refused, match="already_reacted"):
        await slack.react(BEN, SUPPORT, said.ts, "star")
    with pytest.raises(Refused, match="not_subscribed"):
        await slack.event({"type": "app_uninstalled"})
    with pytest.raises(Refused, match="is_archived"):
        await slack.say(ADA, OLD_SUPPORT, "hello")
    assert await slack.open_home(ADA) is None
    assert slack.deliveries == []


async def test_waiting_ends() -> None:
    with pytest.raises(TimeoutError):
        await workspace().wait_until(lambda: None, seconds=0.001)


async def test_everything_that_passes_is_recorded() -> None:
    bell = Bell()
    traffic = Traffic(bell)
    slack = Workspace(manifest(), Clock(), bell, traffic)
    slack.base_url = "http://slack.test"
    await slack.command(ADA, SUPPORT, "/csat @grace")
    await call(slack, "chat.postMessage", channel=LEADS, text=slack.bot_token)

    delivered, called = traffic.exchanges
    assert (delivered.sender, delivered.title) == ("slack", "slash command /csat")
    assert delivered.status == "dispatch_failed"
    assert (called.sender, called.title) == ("app", "POST chat.postMessage")
    assert called.status == "channel_not_found"
    assert slack.bot_token not in called.request


async def test_a_command_whose_answer_slack_refuses_has_failed() -> None:
    async def answer(ack: AsyncAck) -> None:
        await ack(text="Hi", blocks=[section("")])

    slack = workspace()
    async with connected(slack, lambda app: app.command("/csat")(answer)):
        seen = await slack.command(ADA, SUPPORT, "/csat")

    assert seen.failure == '/csat failed with the error "invalid_blocks"'


async def test_plain_text_is_an_answer_too() -> None:
    async def take(_: Request) -> Response:
        return PlainTextResponse("Only you")

    slack = workspace()
    async with serving(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        slack.deliver_over_http(f"{url}/")
        seen = await slack.command(ADA, SUPPORT, "/csat")

    assert seen.message
    assert seen.message.text == "Only you"


async def test_suggestions_that_slack_refuses_are_not_offered() -> None:
    slack = workspace()
    element = {"type": "external_select", "action_id": "who", "min_query_length": 0}
    view = modal(section(accessory=element))
    await call(slack, "views.open", trigger_id=await trigger(slack), view=view)

    with pytest.raises(Refused, match="dispatch_failed"):
        await slack.suggest(ADA, "who", "")


async def test_a_message_asks_for_suggestions_too() -> None:
    slack = workspace()
    element = {"type": "external_select", "action_id": "who", "min_query_length": 0}
    blocks = [section(accessory=element)]
    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Who?", blocks=blocks)

    with pytest.raises(Refused):
        await slack.suggest(ADA, "who", "", channel=SUPPORT, ts=posted["ts"])

    assert slack.deliveries[-1].payload["message"]["ts"] == posted["ts"]


async def test_feedback_buttons_tell_which_was_pressed() -> None:
    slack = workspace()
    good, bad = ({"text": plain(value), "value": value} for value in ("good", "bad"))
    element = {
        "type": "feedback_buttons",
        "action_id": "feedback",
        "positive_button": good,
        "negative_button": bad,
    }
    blocks = [{"type": "context_actions", "elements": [element]}]
    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Helpful?", blocks=blocks)

    await slack.act(ADA, "feedback", "bad", channel=SUPPORT, ts=posted["ts"])

    assert slack.deliveries[-1].payload["actions"][0]["value"] == "bad"


async def test_an_old_fashioned_bots_message_names_no_user() -> None:
    slack = workspace()
    message = next(message for message in slack.messages(SUPPORT, ADA) if not message.user)

    await slack.shortcut(ADA, SUPPORT, message.ts, "survey")

    told = slack.deliveries[-1].payload["message"]
    assert (told["subtype"], told["username"]) == ("bot_message", "Northwind Helpdesk")
    assert "user" not in told


async def test_nobody_delivers_before_the_workspace_is_served() -> None:
    slack = Workspace(manifest())

    with pytest.raises(RuntimeError, match="base_url"):
        await slack.command(ADA, SUPPORT, "/csat")


async def _link(slack: Workspace, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    opened = await call(slack, "apps.connections.open", slack.app_token)
    return await session.ws_connect(opened["url"], autoping=False)

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp

from sandbox.slack import SlackError
from sandbox.slack.fixtures import (
    ADA,
    BEN,
    LEADS,
    PARTNERS,
    SAM,
    SUPPORT,
)
from tests.sandbox.test_slack_kit import (
    Json,
    button,
    call,
    connected,
    modal,
    options,
    plain,
    section,
    text_input,
    trigger,
    workspace,
)


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

    await slack.click(ADA, "undo", **where)

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

    await slack.click(ADA, "yes", **where)

    told = slack.deliveries[-1].payload
    assert told["container"]["is_ephemeral"]
    assert "message" not in told
    with pytest.raises(SlackError, match="not_found"):
        await slack.click(BEN, "yes", **where)


async def test_somebody_elses_buttons_do_not_reach_the_app() -> None:
    slack = workspace()
    mirrored = slack.messages(SUPPORT, ADA)[0]
    action_id = mirrored.blocks[-1]["elements"][0]["action_id"]

    with pytest.raises(SlackError, match="not_found"):
        await slack.click(ADA, action_id, channel=SUPPORT, ts=mirrored.ts)


async def test_a_stranger_presses_buttons_with_their_own_team() -> None:
    slack = workspace()
    blocks = [section("Sent", accessory=button("undo"))]
    posted = await call(slack, "chat.postMessage", channel=PARTNERS, text="Sent", blocks=blocks)

    await slack.click(SAM, "undo", channel=PARTNERS, ts=posted["ts"])

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

    await slack.select(ADA, "more", "drop")
    await slack.select(ADA, "pick", "two")

    more, picked = (delivery.payload["actions"][0] for delivery in slack.deliveries[-2:])
    assert more["selected_option"]["value"] == "drop"
    assert picked["selected_option"]["value"] == "two"
    with pytest.raises(SlackError, match="invalid_option"):
        await slack.select(ADA, "more", "burn")


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
        none = await slack.load_options(ADA, "who", "g")
        offered = await slack.load_options(ADA, "who", "grace")
        await slack.select(ADA, "who", "grace")

    assert none == []
    assert [option["value"] for option in offered] == ["grace", "other"]
    chosen = slack.deliveries[-1].payload["actions"][0]["selected_option"]
    assert chosen["value"] == "grace"


async def test_a_form_asks_for_an_address_where_it_wants_one() -> None:
    slack = workspace()
    element = {"type": "conversations_select", "action_id": "where", "response_url_enabled": True}
    block = {"type": "input", "block_id": "where", "label": modal()["title"], "element": element}
    await call(slack, "views.open", trigger_id=await trigger(slack), view=modal(block))
    await slack.select(ADA, "where", LEADS)

    await slack.submit_view(ADA)

    told = slack.deliveries[-1].payload["response_urls"][0]
    assert (told["channel_id"], told["block_id"]) == (LEADS, "where")


async def test_suggestions_that_slack_refuses_are_not_offered() -> None:
    slack = workspace()
    element = {"type": "external_select", "action_id": "who", "min_query_length": 0}
    view = modal(section(accessory=element))
    await call(slack, "views.open", trigger_id=await trigger(slack), view=view)

    with pytest.raises(SlackError, match="dispatch_failed"):
        await slack.load_options(ADA, "who", "")


async def test_a_message_asks_for_suggestions_too() -> None:
    slack = workspace()
    element = {"type": "external_select", "action_id": "who", "min_query_length": 0}
    blocks = [section(accessory=element)]
    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Who?", blocks=blocks)

    with pytest.raises(SlackError):
        await slack.load_options(ADA, "who", "", channel=SUPPORT, ts=posted["ts"])

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

    await slack.select(ADA, "feedback", "bad", channel=SUPPORT, ts=posted["ts"])

    assert slack.deliveries[-1].payload["actions"][0]["value"] == "bad"

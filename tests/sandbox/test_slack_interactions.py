import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp

from sandbox.slack import SlackError
from sandbox.slack.fixtures import (
    ADA,
    BEN,
    LEADS,
    OTHER_TEAM,
    PARTNERS,
    SAM,
    SUPPORT,
)
from tests.sandbox.slack_kit import (
    Json,
    button,
    call,
    modal,
    new_trigger_id,
    options,
    plain_text,
    run_socket_mode_app,
    section,
    text_input,
    workspace,
)


async def test_a_click_in_a_message_sends_the_message_and_the_value() -> None:
    slack = workspace()
    blocks = [
        section("Sent", block_id="sent", accessory=button("undo", value="survey-1", style="danger")),
        text_input("note"),
    ]
    parent = slack.messages(SUPPORT, ADA)[0]
    posted = await call(
        slack, "chat.postMessage", channel=SUPPORT, text="Sent", blocks=blocks, thread_ts=parent.ts
    )
    location = {"channel": SUPPORT, "ts": posted["ts"]}
    await slack.type_text(ADA, "note", "oops", **location)

    await slack.click(ADA, "undo", **location)

    payload = slack.deliveries[-1].payload
    assert payload["actions"][0]["value"] == "survey-1"
    assert payload["container"]["thread_ts"] == parent.ts
    assert payload["message"]["ts"] == posted["ts"]
    assert payload["state"]["values"]["note"]["note"]["value"] == "oops"
    assert payload["response_url"]


async def test_a_click_in_an_ephemeral_message_sends_no_message() -> None:
    slack = workspace()
    blocks = [section("Sure?", accessory=button("yes"))]
    posted = await call(slack, "chat.postEphemeral", channel=SUPPORT, user=ADA, text="Sure?", blocks=blocks)
    location = {"channel": SUPPORT, "ts": posted["message_ts"]}

    await slack.click(ADA, "yes", **location)

    payload = slack.deliveries[-1].payload
    assert payload["container"]["is_ephemeral"]
    assert "message" not in payload
    with pytest.raises(SlackError, match="not_found"):
        await slack.click(BEN, "yes", **location)


async def test_the_app_receives_no_clicks_in_messages_of_others() -> None:
    slack = workspace()
    mirrored = slack.messages(SUPPORT, ADA)[0]
    action_id = mirrored.blocks[-1]["elements"][0]["action_id"]

    with pytest.raises(SlackError, match="not_found"):
        await slack.click(ADA, action_id, channel=SUPPORT, ts=mirrored.ts)


async def test_a_click_by_a_user_of_another_team_sends_their_team() -> None:
    slack = workspace()
    blocks = [section("Sent", accessory=button("undo"))]
    posted = await call(slack, "chat.postMessage", channel=PARTNERS, text="Sent", blocks=blocks)

    await slack.click(SAM, "undo", channel=PARTNERS, ts=posted["ts"])

    payload = slack.deliveries[-1].payload
    assert (payload["user"]["id"], payload["team"]["id"]) == (SAM, slack.team.id)
    assert payload["user"]["team_id"] == slack.users[SAM].team_id != slack.team.id


async def test_a_form_of_a_user_of_another_team_sends_their_team_and_that_of_the_app() -> None:
    slack = workspace()
    blocks = [section("Done", accessory=button("rate"))]
    posted = await call(slack, "chat.postMessage", channel=PARTNERS, text="Done", blocks=blocks)
    await slack.click(SAM, "rate", channel=PARTNERS, ts=posted["ts"])
    trigger_id = slack.deliveries[-1].payload["trigger_id"]
    who = {**text_input("who", type="users_select"), "dispatch_action": True}
    await call(slack, "views.open", trigger_id=trigger_id, view=modal(who))

    await slack.select(SAM, "who", ADA)
    await slack.submit_view(SAM)

    selected, submitted = (delivery.payload for delivery in slack.deliveries[-2:])
    assert selected["actions"][0]["selected_user"] == ADA
    assert submitted["view"]["state"]["values"]["who"]["who"]["selected_user"] == ADA
    for payload in (selected, submitted):
        view = payload["view"]
        assert payload["team"] == {"id": OTHER_TEAM, "domain": "skylinker"}
        assert (view["team_id"], view["app_installed_team_id"]) == (OTHER_TEAM, slack.team.id)


async def test_typing_sends_an_action_if_the_input_requests_it() -> None:
    slack = workspace()
    on_character = {"trigger_actions_on": ["on_character_entered"]}
    blocks = [
        text_input("silent"),
        {**text_input("on_enter"), "dispatch_action": True},
        {**text_input("on_character", dispatch_action_config=on_character), "dispatch_action": True},
    ]
    await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=modal(*blocks))
    before = len(slack.deliveries)

    for action_id in ("silent", "on_enter", "on_character"):
        await slack.type_text(ADA, action_id, "@grace")
        await slack.press_enter(ADA, action_id)

    payloads = [delivery.payload for delivery in slack.deliveries[before:]]
    actions = [payload["actions"][0] for payload in payloads if payload["type"] == "block_actions"]
    assert [action["action_id"] for action in actions] == ["on_enter", "on_character"]
    assert actions[0]["value"] == "@grace"


async def test_enter_submits_a_modal_from_an_input_of_one_line_that_dispatches_no_action() -> None:
    slack = workspace()
    blocks = [
        text_input("note", multiline=True),
        {**text_input("on_enter"), "dispatch_action": True},
        text_input("handle"),
    ]
    await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=modal(*blocks))
    before = len(slack.deliveries)

    for action_id in ("note", "on_enter", "handle"):
        await slack.type_text(ADA, action_id, "@grace")
        await slack.press_enter(ADA, action_id)

    types = [delivery.payload["type"] for delivery in slack.deliveries[before:]]
    assert types == ["block_actions", "view_submission"]


async def test_selecting_outside_of_inputs_sends_an_action() -> None:
    slack = workspace()
    overflow = {"type": "overflow", "action_id": "more", "options": options("edit", "drop")}
    pick = {"type": "static_select", "action_id": "pick", "options": options("one", "two")}
    blocks = [section(accessory=overflow), {"type": "actions", "elements": [pick]}]
    await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=modal(*blocks))

    await slack.select(ADA, "more", "drop")
    await slack.select(ADA, "pick", "two")

    overflow_action, select_action = (delivery.payload["actions"][0] for delivery in slack.deliveries[-2:])
    assert overflow_action["selected_option"]["value"] == "drop"
    assert select_action["selected_option"]["value"] == "two"
    with pytest.raises(SlackError, match="invalid_option"):
        await slack.select(ADA, "more", "burn")


async def test_an_external_select_loads_its_options_from_the_app() -> None:
    async def load(ack: AsyncAck, payload: Json) -> None:
        await ack(options=options(payload["value"], "other"))

    async def acknowledge(ack: AsyncAck) -> None:
        await ack()

    def register(app: AsyncApp) -> None:
        app.options("who")(load)
        app.command("/csat")(acknowledge)
        app.action("who")(acknowledge)

    slack = workspace()
    element = {"type": "external_select", "action_id": "who", "min_query_length": 2}
    async with run_socket_mode_app(slack, register):
        view = modal(section(accessory=element))
        await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=view)
        too_short = await slack.load_options(ADA, "who", "g")
        loaded = await slack.load_options(ADA, "who", "grace")
        await slack.select(ADA, "who", "grace")

    assert too_short == []
    assert [option["value"] for option in loaded] == ["grace", "other"]
    selected = slack.deliveries[-1].payload["actions"][0]["selected_option"]
    assert selected["value"] == "grace"


async def test_a_submission_has_a_response_url_if_the_select_enables_it() -> None:
    slack = workspace()
    element = {"type": "conversations_select", "action_id": "where", "response_url_enabled": True}
    block = {"type": "input", "block_id": "where", "label": modal()["title"], "element": element}
    await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=modal(block))
    await slack.select(ADA, "where", LEADS)

    await slack.submit_view(ADA)

    response_url = slack.deliveries[-1].payload["response_urls"][0]
    assert (response_url["channel_id"], response_url["block_id"]) == (LEADS, "where")


async def test_loading_options_fails_without_a_connection() -> None:
    slack = workspace()
    element = {"type": "external_select", "action_id": "who", "min_query_length": 0}
    view = modal(section(accessory=element))
    await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=view)

    with pytest.raises(SlackError, match="dispatch_failed"):
        await slack.load_options(ADA, "who", "")


async def test_a_request_for_options_in_a_message_sends_the_message() -> None:
    slack = workspace()
    element = {"type": "external_select", "action_id": "who", "min_query_length": 0}
    blocks = [section(accessory=element)]
    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Who?", blocks=blocks)

    with pytest.raises(SlackError):
        await slack.load_options(ADA, "who", "", channel=SUPPORT, ts=posted["ts"])

    assert slack.deliveries[-1].payload["message"]["ts"] == posted["ts"]


async def test_feedback_buttons_send_the_selected_value() -> None:
    slack = workspace()
    good, bad = ({"text": plain_text(value), "value": value} for value in ("good", "bad"))
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

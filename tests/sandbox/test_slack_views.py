import pytest

from sandbox.slack import ActionOutcome, SlackError, Workspace
from sandbox.slack.fixtures import ADA, BEN, SUPPORT
from tests.sandbox.slack_kit import (
    Clock,
    Json,
    button,
    call,
    manifest,
    modal,
    new_trigger_id,
    options,
    plain_text,
    section,
    text_input,
    workspace,
)

RADIO = {
    "type": "input",
    "block_id": "metric",
    "dispatch_action": True,
    "label": plain_text("Metric"),
    "element": {
        "type": "radio_buttons",
        "action_id": "metric",
        "options": options("csat", "nps"),
        "initial_option": options("csat")[0],
    },
}


async def open_view(slack: Workspace, *blocks: Json, **more: object) -> Json:
    """Open a modal for Ada and return it as in the response."""
    view = modal(*blocks, **more)
    response = await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=view)
    opened: Json = response["view"]
    return opened


async def test_a_view_opens_for_the_user_of_the_command() -> None:
    slack = workspace()

    opened = await open_view(slack, private_metadata="carried along")

    view = slack.current_view(ADA)
    assert view
    assert (view.id, view.callback_id, view.private_metadata) == (opened["id"], "form", "carried along")
    assert slack.current_view(BEN) is None


async def test_a_trigger_can_be_used_once() -> None:
    slack = workspace()
    trigger_id = await new_trigger_id(slack)

    first = await call(slack, "views.open", trigger_id=trigger_id, view=modal())
    second = await call(slack, "views.open", trigger_id=trigger_id, view=modal())

    assert first["ok"]
    assert second == {"ok": False, "error": "exchanged_trigger_id"}


async def test_a_trigger_expires_after_three_seconds() -> None:
    clock = Clock()
    slack = workspace(clock=clock)
    trigger_id = await new_trigger_id(slack)
    clock.advance(seconds=3.1)

    response = await call(slack, "views.open", trigger_id=trigger_id, view=modal())

    assert response == {"ok": False, "error": "expired_trigger_id"}


@pytest.mark.parametrize("trigger_id", ["", "nonsense", "1.2.abc"])
async def test_an_unknown_trigger_is_rejected(trigger_id: str) -> None:
    response = await call(workspace(), "views.open", trigger_id=trigger_id, view=modal())

    assert response == {"ok": False, "error": "invalid_trigger_id"}


async def test_an_invalid_view_does_not_use_up_the_trigger() -> None:
    slack = workspace()
    trigger_id = await new_trigger_id(slack)

    await call(slack, "views.open", trigger_id=trigger_id, view=modal(title=plain_text("x" * 25)))
    response = await call(slack, "views.open", trigger_id=trigger_id, view=modal())

    assert response["ok"]


async def test_an_update_keeps_the_id_and_changes_the_hash() -> None:
    slack = workspace()
    opened = await open_view(slack)

    response = await call(
        slack, "views.update", view_id=opened["id"], hash=opened["hash"], view=modal(section("Sent"))
    )

    assert response["view"]["id"] == opened["id"]
    assert response["view"]["hash"] != opened["hash"]


async def test_an_outdated_hash_conflicts() -> None:
    slack = workspace()
    opened = await open_view(slack)
    await call(slack, "views.update", view_id=opened["id"], view=modal())

    response = await call(slack, "views.update", view_id=opened["id"], hash=opened["hash"], view=modal())

    assert response == {"ok": False, "error": "hash_conflict"}


async def test_a_view_is_found_by_its_unique_external_id() -> None:
    slack = workspace()
    await open_view(slack, external_id="survey-1")

    updated = await call(slack, "views.update", external_id="survey-1", view=modal(external_id="survey-1"))
    trigger_id = await new_trigger_id(slack, BEN)
    second = await call(slack, "views.open", trigger_id=trigger_id, view=modal(external_id="survey-1"))

    assert updated["ok"]
    assert second["error"] == "duplicate_external_id"


async def test_an_update_can_change_the_external_id() -> None:
    slack = workspace()
    opened = await open_view(slack, external_id="survey-1")

    updated = await call(slack, "views.update", view_id=opened["id"], view=modal(external_id="survey-2"))
    by_new_id = await call(slack, "views.update", external_id="survey-2", view=modal())

    assert updated["ok"]
    assert by_new_id["view"]["id"] == opened["id"]


async def test_no_view_can_be_pushed_onto_the_app_home() -> None:
    slack = workspace()
    home = {"type": "home", "blocks": [section("Welcome", accessory=button("go"))]}
    await call(slack, "views.publish", user_id=ADA, view=home)
    await slack.click(ADA, "go", home=True)
    payload = slack.deliveries[-1].payload

    pushed = await call(slack, "views.push", trigger_id=payload["trigger_id"], view=modal())

    assert payload["view"]["type"] == "home"
    assert pushed["error"] == "not_found"


async def test_a_closed_view_is_not_found() -> None:
    slack = workspace()
    opened = await open_view(slack)
    await slack.close_view(ADA)

    response = await call(slack, "views.update", view_id=opened["id"], view=modal())

    assert response == {"ok": False, "error": "not_found"}


async def test_an_update_requires_an_id() -> None:
    response = await call(workspace(), "views.update", view=modal())

    assert response["error"] == "invalid_arguments"


async def test_at_most_three_views_can_be_stacked() -> None:
    slack = workspace()
    root = await open_view(slack, section(accessory=button("more")))
    for expected in (True, True, False):
        await slack.click(ADA, "more")
        trigger_id = slack.deliveries[-1].payload["trigger_id"]
        view = modal(section(accessory=button("more")))
        response = await call(slack, "views.push", trigger_id=trigger_id, view=view)
        assert response["ok"] is expected

    stack = slack.view_stack(ADA)
    assert response["error"] == "push_limit_reached"
    assert [view.root_view_id for view in stack] == [root["id"]] * 3
    assert stack[2].previous_view_id == stack[1].id

    await slack.close_view(ADA)

    assert slack.current_view(ADA) is stack[1]


async def test_a_push_requires_a_trigger_from_a_view() -> None:
    slack = workspace()

    response = await call(slack, "views.push", trigger_id=await new_trigger_id(slack), view=modal())

    assert response["error"] == "not_found"


async def test_an_update_keeps_the_values_of_the_same_inputs() -> None:
    slack = workspace()
    opened = await open_view(slack, text_input("handle"), text_input("note"), RADIO)
    await slack.type_text(ADA, "handle", "@grace")
    await slack.type_text(ADA, "note", "bag found")
    await slack.select(ADA, "metric", "nps")

    renamed = {**text_input("note"), "block_id": "another_note"}
    view = modal(text_input("handle", initial_value="@ignored"), renamed, RADIO)
    await call(slack, "views.update", view_id=opened["id"], view=view)

    current = slack.current_view(ADA)
    assert current
    assert current.values["handle"]["handle"]["value"] == "@grace"
    assert current.values["another_note"]["note"]["value"] is None
    assert current.values["metric"]["metric"]["selected_option"] == options("nps")[0]


async def test_removed_inputs_lose_their_values() -> None:
    slack = workspace()
    opened = await open_view(slack, text_input("handle"))
    await slack.type_text(ADA, "handle", "@grace")

    for view in (modal(section("Sending")), modal(text_input("handle", initial_value="@tomas"))):
        await call(slack, "views.update", view_id=opened["id"], view=view)

    current = slack.current_view(ADA)
    assert current
    assert current.values["handle"]["handle"]["value"] == "@tomas"


async def test_inputs_have_their_initial_values() -> None:
    slack = workspace()
    conversations_select = {
        "type": "conversations_select",
        "action_id": "where",
        "default_to_current_conversation": True,
    }
    checkboxes = {"type": "checkboxes", "action_id": "box", "options": options("test")}
    opened = await open_view(
        slack,
        text_input("handle", initial_value="@grace"),
        RADIO,
        {"type": "input", "block_id": "where", "label": plain_text("Where"), "element": conversations_select},
        section(block_id="box", accessory=checkboxes),
        {
            "type": "actions",
            "block_id": "when",
            "elements": [{"type": "datepicker", "action_id": "day", "initial_date": "2026-03-02"}],
        },
    )

    values = opened["state"]["values"]
    assert values["handle"]["handle"] == {"type": "plain_text_input", "value": "@grace"}
    assert values["metric"]["metric"]["selected_option"]["value"] == "csat"
    assert values["where"]["where"]["selected_conversation"] == SUPPORT
    assert values["box"]["box"] == {"type": "checkboxes", "selected_options": []}
    assert values["when"]["day"] == {"type": "datepicker", "selected_date": "2026-03-02"}


async def test_missing_ids_are_added() -> None:
    slack = workspace()
    opened = await open_view(
        slack, {"type": "section", "text": plain_text("x"), "accessory": {**button("x")}}
    )
    del opened["blocks"][0]["accessory"]["action_id"]
    bare = {"type": "button", "text": plain_text("x")}

    response = await call(
        slack, "views.update", view_id=opened["id"], view=modal({"type": "actions", "elements": [bare]})
    )

    block = response["view"]["blocks"][0]
    assert block["block_id"]
    assert block["elements"][0]["action_id"]


@pytest.mark.parametrize(
    ("block", "text", "error"),
    [
        (text_input("f"), "", "Please complete this required field."),
        (text_input("f", min_length=3), "ab", "Please enter at least 3 characters."),
        (text_input("f", max_length=3), "abcd", "Please enter no more than 3 characters."),
        (text_input("f", type="url_text_input"), "x.com/grace", "Please enter a valid URL."),
        (text_input("f", type="email_text_input"), "grace", "Please enter a valid email address."),
        (
            text_input("f", type="number_input", is_decimal_allowed=False),
            "1.5",
            "Please enter a whole number.",
        ),
        (text_input("f", type="number_input", is_decimal_allowed=True), "one", "Please enter a number."),
        (
            text_input("f", type="number_input", is_decimal_allowed=True, min_value="2"),
            "1",
            "Please enter a number of 2 or more.",
        ),
        (
            text_input("f", type="number_input", is_decimal_allowed=True, max_value="2"),
            "3",
            "Please enter a number of 2 or less.",
        ),
    ],
)
async def test_invalid_inputs_are_not_submitted_to_the_app(block: Json, text: str, error: str) -> None:
    slack = workspace()
    await open_view(slack, block)
    await slack.type_text(ADA, "f", text)
    before = len(slack.deliveries)

    result = await slack.submit_view(ADA)

    assert (result.outcome, result.errors) == (ActionOutcome.ERRORS, {"f": error})
    assert len(slack.deliveries) == before


async def test_typing_removes_the_error_of_an_input() -> None:
    slack = workspace()
    await open_view(slack)
    await slack.submit_view(ADA)

    result = await slack.type_text(ADA, "handle", "@grace")

    assert result.view
    assert result.view.errors == {}


async def test_an_optional_input_can_be_empty() -> None:
    slack = workspace()
    await open_view(slack, text_input("f", optional=True, min_length=3))

    await slack.submit_view(ADA)

    assert slack.deliveries[-1].payload["type"] == "view_submission"


async def test_invalid_selections_are_rejected() -> None:
    slack = workspace()
    multi_select = {
        "type": "multi_static_select",
        "action_id": "several",
        "options": options("a", "b", "c"),
        "max_selected_items": 2,
    }
    datepicker = {"type": "datepicker", "action_id": "day"}
    await open_view(
        slack, RADIO, section(accessory=multi_select), {"type": "actions", "elements": [datepicker]}
    )

    with pytest.raises(SlackError, match="invalid_option"):
        await slack.select(ADA, "metric", "ces")
    with pytest.raises(SlackError, match="too_many_options"):
        await slack.select(ADA, "metric", ["csat", "nps"])
    with pytest.raises(SlackError, match="too_many_options"):
        await slack.select(ADA, "several", ["a", "b", "c"])
    with pytest.raises(SlackError, match="invalid_value"):
        await slack.select(ADA, "day", "tomorrow")
    with pytest.raises(SlackError, match="not_found"):
        await slack.click(ADA, "absent")


@pytest.mark.parametrize("method", ["submit_view", "close_view"])
async def test_a_view_cannot_be_submitted_or_closed_while_none_is_open(method: str) -> None:
    slack = workspace()

    with pytest.raises(SlackError, match="not_found"):
        await getattr(slack, method)(ADA)


async def test_a_view_without_a_submit_button_cannot_be_submitted() -> None:
    slack = workspace()
    view = {"type": "modal", "title": plain_text("Sent"), "blocks": [section("Done")]}
    await call(slack, "views.open", trigger_id=await new_trigger_id(slack), view=view)

    with pytest.raises(SlackError, match="not_found"):
        await slack.submit_view(ADA)


async def test_the_app_home_can_be_published_again() -> None:
    slack = workspace()
    home = {"type": "home", "blocks": [section("Welcome")]}

    first = await call(slack, "views.publish", user_id=ADA, view=home)
    second = await call(slack, "views.publish", user_id=ADA, view=home, hash=first["view"]["hash"])
    outdated = await call(slack, "views.publish", user_id=ADA, view=home, hash=first["view"]["hash"])
    unknown_user = await call(slack, "views.publish", user_id="U0NEVERWAS1", view=home)

    assert first["view"]["id"] == second["view"]["id"]
    assert outdated["error"] == "hash_conflict"
    assert unknown_user["error"] == "user_not_found"
    published = slack.home_view(ADA)
    assert published
    assert published.blocks[0]["text"]["text"] == "Welcome"


async def test_the_app_home_requires_the_home_tab() -> None:
    slack = Workspace(manifest(home_tab_enabled=False))

    response = await call(slack, "views.publish", user_id=ADA, view={"type": "home", "blocks": []})

    assert response == {"ok": False, "error": "not_enabled"}


async def test_closing_a_view_sends_view_closed_if_requested() -> None:
    slack = workspace()
    await open_view(slack, notify_on_close=True)

    result = await slack.close_view(ADA)

    payload = slack.deliveries[-1].payload
    assert result.outcome is ActionOutcome.CLOSED
    assert (payload["type"], payload["is_cleared"], payload["view"]["callback_id"]) == (
        "view_closed",
        False,
        "form",
    )


async def test_closing_all_views_sends_view_closed_for_each() -> None:
    slack = workspace()
    await open_view(slack, section(accessory=button("more")), notify_on_close=True)
    await slack.click(ADA, "more")
    trigger_id = slack.deliveries[-1].payload["trigger_id"]
    await call(
        slack, "views.push", trigger_id=trigger_id, view=modal(notify_on_close=True, callback_id="two")
    )

    result = await slack.close_all_views(ADA)

    payloads = [delivery.payload for delivery in slack.deliveries[-2:]]
    assert result.outcome is ActionOutcome.CLEARED
    assert slack.current_view(ADA) is None
    assert [payload["view"]["callback_id"] for payload in payloads] == ["two", "form"]
    assert all(payload["is_cleared"] for payload in payloads)


async def test_closing_a_view_can_clear_the_stack() -> None:
    slack = workspace()
    await open_view(slack, section(accessory=button("more")))
    await slack.click(ADA, "more")
    trigger_id = slack.deliveries[-1].payload["trigger_id"]
    await call(slack, "views.push", trigger_id=trigger_id, view=modal(clear_on_close=True))

    result = await slack.close_view(ADA)

    assert result.outcome is ActionOutcome.CLEARED
    assert slack.current_view(ADA) is None

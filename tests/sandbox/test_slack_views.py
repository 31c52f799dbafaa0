import pytest

from sandbox.slack import ActionOutcome, SlackError, Workspace
from sandbox.slack.fixtures import ADA, BEN, SUPPORT
from tests.sandbox.test_slack_kit import (
    Clock,
    Json,
    button,
    call,
    manifest,
    modal,
    options,
    plain,
    section,
    text_input,
    trigger,
    workspace,
)

RADIO = {
    "type": "input",
    "block_id": "metric",
    "dispatch_action": True,
    "label": plain("Metric"),
    "element": {
        "type": "radio_buttons",
        "action_id": "metric",
        "options": options("csat", "nps"),
        "initial_option": options("csat")[0],
    },
}


async def opened(slack: Workspace, *blocks: Json, **more: object) -> Json:
    """Open a form for Ada and return it as the app gets it."""
    view = modal(*blocks, **more)
    answer = await call(slack, "views.open", trigger_id=await trigger(slack), view=view)
    told: Json = answer["view"]
    return told


async def test_a_form_opens_for_who_sent_the_command() -> None:
    slack = workspace()

    told = await opened(slack, private_metadata="carried along")

    view = slack.current_view(ADA)
    assert view
    assert (view.id, view.callback_id, view.private_metadata) == (told["id"], "form", "carried along")
    assert slack.current_view(BEN) is None


async def test_a_trigger_works_once() -> None:
    slack = workspace()
    trigger_id = await trigger(slack)

    first = await call(slack, "views.open", trigger_id=trigger_id, view=modal())
    second = await call(slack, "views.open", trigger_id=trigger_id, view=modal())

    assert first["ok"]
    assert second == {"ok": False, "error": "exchanged_trigger_id"}


async def test_a_trigger_lives_three_seconds() -> None:
    clock = Clock()
    slack = workspace(clock=clock)
    trigger_id = await trigger(slack)
    clock.advance(seconds=3.1)

    answer = await call(slack, "views.open", trigger_id=trigger_id, view=modal())

    assert answer == {"ok": False, "error": "expired_trigger_id"}


@pytest.mark.parametrize("trigger_id", ["", "nonsense", "1.2.abc"])
async def test_a_made_up_trigger_is_refused(trigger_id: str) -> None:
    answer = await call(workspace(), "views.open", trigger_id=trigger_id, view=modal())

    assert answer == {"ok": False, "error": "invalid_trigger_id"}


async def test_a_refused_form_leaves_its_trigger_usable() -> None:
    slack = workspace()
    trigger_id = await trigger(slack)

    await call(slack, "views.open", trigger_id=trigger_id, view=modal(title=plain("x" * 25)))
    answer = await call(slack, "views.open", trigger_id=trigger_id, view=modal())

    assert answer["ok"]


async def test_an_update_keeps_the_id_and_changes_the_hash() -> None:
    slack = workspace()
    told = await opened(slack)

    answer = await call(
        slack, "views.update", view_id=told["id"], hash=told["hash"], view=modal(section("Sent"))
    )

    assert answer["view"]["id"] == told["id"]
    assert answer["view"]["hash"] != told["hash"]


async def test_a_stale_hash_conflicts() -> None:
    slack = workspace()
    told = await opened(slack)
    await call(slack, "views.update", view_id=told["id"], view=modal())

    answer = await call(slack, "views.update", view_id=told["id"], hash=told["hash"], view=modal())

    assert answer == {"ok": False, "error": "hash_conflict"}


async def test_a_form_is_found_by_its_external_id_which_is_unique() -> None:
    slack = workspace()
    await opened(slack, external_id="survey-1")

    updated = await call(slack, "views.update", external_id="survey-1", view=modal(external_id="survey-1"))
    trigger_id = await trigger(slack, BEN)
    second = await call(slack, "views.open", trigger_id=trigger_id, view=modal(external_id="survey-1"))

    assert updated["ok"]
    assert second["error"] == "duplicate_external_id"


async def test_a_form_may_take_a_new_external_id_that_is_free() -> None:
    slack = workspace()
    told = await opened(slack, external_id="survey-1")

    renamed = await call(slack, "views.update", view_id=told["id"], view=modal(external_id="survey-2"))
    by_new_name = await call(slack, "views.update", external_id="survey-2", view=modal())

    assert renamed["ok"]
    assert by_new_name["view"]["id"] == told["id"]


async def test_a_home_is_no_place_for_another_form_on_top() -> None:
    slack = workspace()
    home = {"type": "home", "blocks": [section("Welcome", accessory=button("go"))]}
    await call(slack, "views.publish", user_id=ADA, view=home)
    await slack.click(ADA, "go", home=True)
    told = slack.deliveries[-1].payload

    pushed = await call(slack, "views.push", trigger_id=told["trigger_id"], view=modal())

    assert told["view"]["type"] == "home"
    assert pushed["error"] == "not_found"


async def test_a_closed_form_is_not_found() -> None:
    slack = workspace()
    told = await opened(slack)
    await slack.close_view(ADA)

    answer = await call(slack, "views.update", view_id=told["id"], view=modal())

    assert answer == {"ok": False, "error": "not_found"}


async def test_an_update_names_its_form() -> None:
    answer = await call(workspace(), "views.update", view=modal())

    assert answer["error"] == "invalid_arguments"


async def test_three_forms_lie_on_one_another_and_no_more() -> None:
    slack = workspace()
    root = await opened(slack, section(accessory=button("more")))
    for expected in (True, True, False):
        await slack.click(ADA, "more")
        trigger_id = slack.deliveries[-1].payload["trigger_id"]
        view = modal(section(accessory=button("more")))
        answer = await call(slack, "views.push", trigger_id=trigger_id, view=view)
        assert answer["ok"] is expected

    stack = slack.view_stack(ADA)
    assert answer["error"] == "push_limit_reached"
    assert [view.root_view_id for view in stack] == [root["id"]] * 3
    assert stack[2].previous_view_id == stack[1].id

    await slack.close_view(ADA)

    assert slack.current_view(ADA) is stack[1]


async def test_a_push_needs_a_trigger_from_a_form() -> None:
    slack = workspace()

    answer = await call(slack, "views.push", trigger_id=await trigger(slack), view=modal())

    assert answer["error"] == "not_found"


async def test_what_is_typed_survives_an_update_of_the_same_fields() -> None:
    slack = workspace()
    told = await opened(slack, text_input("handle"), text_input("note"), RADIO)
    await slack.type_text(ADA, "handle", "@grace")
    await slack.type_text(ADA, "note", "bag found")
    await slack.select(ADA, "metric", "nps")

    renamed = {**text_input("note"), "block_id": "another_note"}
    view = modal(text_input("handle", initial_value="@ignored"), renamed, RADIO)
    await call(slack, "views.update", view_id=told["id"], view=view)

    open_view = slack.current_view(ADA)
    assert open_view
    assert open_view.values["handle"]["handle"]["value"] == "@grace"
    assert open_view.values["another_note"]["note"]["value"] is None
    assert open_view.values["metric"]["metric"]["selected_option"] == options("nps")[0]


async def test_dropped_fields_lose_what_was_typed() -> None:
    slack = workspace()
    told = await opened(slack, text_input("handle"))
    await slack.type_text(ADA, "handle", "@grace")

    for view in (modal(section("Sending")), modal(text_input("handle", initial_value="@tomas"))):
        await call(slack, "views.update", view_id=told["id"], view=view)

    open_view = slack.current_view(ADA)
    assert open_view
    assert open_view.values["handle"]["handle"]["value"] == "@tomas"


async def test_fields_begin_with_what_the_app_says() -> None:
    slack = workspace()
    here = {
        "type": "conversations_select",
        "action_id": "where",
        "default_to_current_conversation": True,
    }
    boxes = {"type": "checkboxes", "action_id": "box", "options": options("test")}
    told = await opened(
        slack,
        text_input("handle", initial_value="@grace"),
        RADIO,
        {"type": "input", "block_id": "where", "label": plain("Where"), "element": here},
        section(block_id="box", accessory=boxes),
        {
            "type": "actions",
            "block_id": "when",
            "elements": [{"type": "datepicker", "action_id": "day", "initial_date": "2026-03-02"}],
        },
    )

    values = told["state"]["values"]
    assert values["handle"]["handle"] == {"type": "plain_text_input", "value": "@grace"}
    assert values["metric"]["metric"]["selected_option"]["value"] == "csat"
    assert values["where"]["where"]["selected_conversation"] == SUPPORT
    assert values["box"]["box"] == {"type": "checkboxes", "selected_options": []}
    assert values["when"]["day"] == {"type": "datepicker", "selected_date": "2026-03-02"}


async def test_missing_ids_are_given() -> None:
    slack = workspace()
    told = await opened(slack, {"type": "section", "text": plain("x"), "accessory": {**button("x")}})
    del told["blocks"][0]["accessory"]["action_id"]
    bare = {"type": "button", "text": plain("x")}

    answer = await call(
        slack, "views.update", view_id=told["id"], view=modal({"type": "actions", "elements": [bare]})
    )

    block = answer["view"]["blocks"][0]
    assert block["block_id"]
    assert block["elements"][0]["action_id"]


@pytest.mark.parametrize(
    ("block", "typed", "sentence"),
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
async def test_slacks_client_checks_a_form_before_the_app_hears_of_it(
    block: Json, typed: str, sentence: str
) -> None:
    slack = workspace()
    await opened(slack, block)
    await slack.type_text(ADA, "f", typed)
    before = len(slack.deliveries)

    seen = await slack.submit_view(ADA)

    assert (seen.outcome, seen.errors) == (ActionOutcome.ERRORS, {"f": sentence})
    assert len(slack.deliveries) == before


async def test_an_error_goes_once_its_field_is_touched() -> None:
    slack = workspace()
    await opened(slack)
    await slack.submit_view(ADA)

    seen = await slack.type_text(ADA, "handle", "@grace")

    assert seen.view
    assert seen.view.errors == {}


async def test_an_optional_field_may_stay_empty() -> None:
    slack = workspace()
    await opened(slack, text_input("f", optional=True, min_length=3))

    await slack.submit_view(ADA)

    assert slack.deliveries[-1].payload["type"] == "view_submission"


async def test_what_is_not_offered_can_not_be_chosen() -> None:
    slack = workspace()
    several = {
        "type": "multi_static_select",
        "action_id": "several",
        "options": options("a", "b", "c"),
        "max_selected_items": 2,
    }
    day = {"type": "datepicker", "action_id": "day"}
    await opened(slack, RADIO, section(accessory=several), {"type": "actions", "elements": [day]})

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


async def test_a_form_without_a_button_can_not_be_submitted() -> None:
    slack = workspace()
    view = {"type": "modal", "title": plain("Sent"), "blocks": [section("Done")]}
    await call(slack, "views.open", trigger_id=await trigger(slack), view=view)

    with pytest.raises(SlackError, match="not_found"):
        await slack.submit_view(ADA)


async def test_a_home_is_published_and_published_again() -> None:
    slack = workspace()
    home = {"type": "home", "blocks": [section("Welcome")]}

    first = await call(slack, "views.publish", user_id=ADA, view=home)
    second = await call(slack, "views.publish", user_id=ADA, view=home, hash=first["view"]["hash"])
    stale = await call(slack, "views.publish", user_id=ADA, view=home, hash=first["view"]["hash"])
    nobody = await call(slack, "views.publish", user_id="U0NEVERWAS1", view=home)

    assert first["view"]["id"] == second["view"]["id"]
    assert stale["error"] == "hash_conflict"
    assert nobody["error"] == "user_not_found"
    published = slack.home_view(ADA)
    assert published
    assert published.blocks[0]["text"]["text"] == "Welcome"


async def test_without_a_home_tab_nothing_is_published() -> None:
    slack = Workspace(manifest(home_tab_enabled=False))

    answer = await call(slack, "views.publish", user_id=ADA, view={"type": "home", "blocks": []})

    assert answer == {"ok": False, "error": "not_enabled"}


async def test_closing_tells_the_app_where_it_wants_to_know() -> None:
    slack = workspace()
    await opened(slack, notify_on_close=True)

    seen = await slack.close_view(ADA)

    told = slack.deliveries[-1].payload
    assert seen.outcome is ActionOutcome.CLOSED
    assert (told["type"], told["is_cleared"], told["view"]["callback_id"]) == ("view_closed", False, "form")


async def test_closing_all_tells_of_each_form() -> None:
    slack = workspace()
    await opened(slack, section(accessory=button("more")), notify_on_close=True)
    await slack.click(ADA, "more")
    trigger_id = slack.deliveries[-1].payload["trigger_id"]
    await call(
        slack, "views.push", trigger_id=trigger_id, view=modal(notify_on_close=True, callback_id="two")
    )

    seen = await slack.close_all_views(ADA)

    told = [delivery.payload for delivery in slack.deliveries[-2:]]
    assert seen.outcome is ActionOutcome.CLEARED
    assert slack.current_view(ADA) is None
    assert [payload["view"]["callback_id"] for payload in told] == ["two", "form"]
    assert all(payload["is_cleared"] for payload in told)


async def test_a_form_may_take_those_below_with_it() -> None:
    slack = workspace()
    await opened(slack, section(accessory=button("more")))
    await slack.click(ADA, "more")
    trigger_id = slack.deliveries[-1].payload["trigger_id"]
    await call(slack, "views.push", trigger_id=trigger_id, view=modal(clear_on_close=True))

    seen = await slack.close_view(ADA)

    assert seen.outcome is ActionOutcome.CLEARED
    assert slack.current_view(ADA) is None

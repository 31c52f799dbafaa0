"""The app's Home: opened, published, and acted in."""

import pytest

from sandbox.slack import Workspace
from sandbox.slack.fixtures import ADA, AGENTS, BEN, CLEO, SAM, SUPPORT
from tests.sandbox.slack_kit import (
    Clock,
    Json,
    button,
    call,
    manifest,
    options,
    plain_text,
    section,
    text_input,
    workspace,
)

APP_HOME_OPENED = "app_home_opened"
CHART = {
    "type": "data_visualization",
    "title": "Ratings",
    "chart": {"type": "pie", "segments": [{"label": "5", "value": 8}]},
}


def home(*blocks: Json) -> Json:
    return {"type": "home", "callback_id": "report", "blocks": list(blocks)}


def filters() -> Json:
    return {
        "type": "actions",
        "block_id": "filters",
        "elements": [
            {
                "type": "static_select",
                "action_id": "period",
                "options": options("30d", "90d"),
                "initial_option": options("30d")[0],
            },
            {"type": "datepicker", "action_id": "since", "initial_date": "2026-03-09"},
        ],
    }


def subscribed_workspace(*events: str, **app_home: bool) -> Workspace:
    slack = Workspace(manifest(events=events, **app_home), Clock())
    slack.base_url = "http://slack.test"
    return slack


async def test_opening_the_app_home_sends_the_tab_the_channel_and_the_view() -> None:
    slack = subscribed_workspace(APP_HOME_OPENED)
    await slack.open_home(CLEO)
    published = await call(slack, "views.publish", user_id=CLEO, view=home(section()))
    await slack.open_home(CLEO)
    await slack.open_home(CLEO, "messages")

    first, second, third = (delivery.payload["event"] for delivery in slack.deliveries)
    opened = await call(slack, "conversations.open", users=CLEO)
    assert [event["tab"] for event in (first, second, third)] == ["home", "home", "messages"]
    assert {event["channel"] for event in (first, second, third)} == {opened["channel"]["id"]}
    assert second["view"]["id"] == published["view"]["id"]
    assert second["view"]["hash"] == published["view"]["hash"]
    assert "view" not in first
    assert "view" not in third


async def test_the_app_home_opens_only_if_the_manifest_enables_it() -> None:
    without_home = subscribed_workspace(APP_HOME_OPENED, home_tab_enabled=False)
    without_event = subscribed_workspace()
    for slack in (without_home, without_event):
        assert await slack.open_home(CLEO) is None

    assert [*without_home.deliveries, *without_event.deliveries] == []
    with_both = subscribed_workspace(APP_HOME_OPENED)
    assert await with_both.open_home(SAM) is None
    assert with_both.deliveries == []


async def test_an_action_in_the_app_home_sends_all_values() -> None:
    slack = workspace()
    search = {**text_input("search"), "dispatch_action": True}
    await call(slack, "views.publish", user_id=CLEO, view=home(filters(), search))
    await slack.type_text(CLEO, "search", "bags", home=True)
    await slack.select(CLEO, "since", "2026-04-01", home=True)
    await slack.select(CLEO, "period", "90d", home=True)

    payload = slack.deliveries[-1].payload
    view = slack.home_view(CLEO)
    assert view
    assert payload["container"] == {"type": "view", "view_id": view.id}
    assert (payload["view"]["type"], payload["view"]["hash"]) == ("home", view.hash)
    assert payload["actions"][0]["selected_option"]["value"] == "90d"
    assert payload["trigger_id"]
    assert not {"channel", "message", "response_url"} & payload.keys()
    values = payload["view"]["state"]["values"]
    assert values["filters"]["period"]["selected_option"]["value"] == "90d"
    assert values["filters"]["since"]["selected_date"] == "2026-04-01"
    assert values["search"]["search"]["value"] == "bags"
    assert values == payload["state"]["values"]


async def test_the_app_home_can_be_published_behind_a_modal() -> None:
    slack = workspace()
    await call(slack, "views.publish", user_id=CLEO, view=home(section(accessory=button("show"))))
    await slack.click(CLEO, "show", home=True)
    modal = {"type": "modal", "title": plain_text("Answer"), "blocks": [section("5")]}

    trigger_id = slack.deliveries[-1].payload["trigger_id"]
    opened = await call(slack, "views.open", trigger_id=trigger_id, view=modal)
    await call(slack, "views.publish", user_id=CLEO, view=home(section("New")))

    view = slack.current_view(CLEO)
    assert view
    assert view.id == opened["view"]["id"]


async def test_an_outdated_hash_does_not_overwrite_the_app_home() -> None:
    slack = workspace()
    old = await call(slack, "views.publish", user_id=CLEO, view=home(section("1")))
    new = await call(slack, "views.publish", user_id=CLEO, view=home(section("2")))

    by_publish = await call(
        slack, "views.publish", user_id=CLEO, view=home(section("3")), hash=old["view"]["hash"]
    )
    by_update = await call(
        slack, "views.update", view_id=old["view"]["id"], view=home(section("3")), hash=old["view"]["hash"]
    )

    assert (by_publish["error"], by_update["error"]) == ("hash_conflict", "hash_conflict")
    assert new["view"]["id"] == old["view"]["id"]


async def test_an_invalid_home_is_not_published() -> None:
    slack = workspace()
    modal = {"type": "modal", "title": plain_text("Report"), "blocks": [section()]}

    responses = [
        await call(slack, "views.publish", user_id=CLEO, view=modal),
        await call(slack, "views.publish", user_id=CLEO, view=home(*[section()] * 101)),
        await call(slack, "views.publish", user_id=CLEO, view=home(CHART, CHART, CHART)),
        await call(slack, "views.publish", user_id=CLEO, view={**home(), "title": plain_text("Report")}),
        await call(slack, "views.publish", user_id="", view=home()),
    ]

    assert {response["error"] for response in responses} == {"invalid_arguments"}
    assert slack.home_view(CLEO) is None


@pytest.mark.parametrize("view_error", ["invalid_blocks", "invalid_arguments"])
async def test_blocks_can_be_disabled_and_enabled_again(view_error: str) -> None:
    slack = workspace()
    slack.faults.disable_blocks("data_visualization", "data_table", view_error=view_error)
    blocks = [section(), CHART]

    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Report", blocks=blocks)
    published = await call(slack, "views.publish", user_id=CLEO, view=home(*blocks))
    without_chart = await call(slack, "views.publish", user_id=CLEO, view=home(section()))
    slack.faults.clear()
    later = await call(slack, "views.publish", user_id=CLEO, view=home(*blocks))

    assert (posted["error"], published["error"]) == ("invalid_blocks", view_error)
    message = "[ERROR] unsupported type: data_visualization [json-pointer:/view/blocks/1/type]"
    assert published["response_metadata"]["messages"] == [message]
    assert without_chart["ok"]
    assert later["ok"]


async def test_changing_a_user_group_sends_an_event() -> None:
    slack = subscribed_workspace("subteam_members_changed")

    await slack.set_usergroup_members(AGENTS, [ADA, CLEO])

    response = await call(slack, "usergroups.users.list", usergroup=AGENTS)
    event = slack.deliveries[-1].payload["event"]
    assert response["users"] == [ADA, CLEO]
    assert (event["subteam_id"], event["added_users"], event["removed_users"]) == (AGENTS, [], [BEN])
    silent = workspace()
    await silent.set_usergroup_members(AGENTS, [])
    assert silent.deliveries == []

import contextlib
import socket
from datetime import datetime, timedelta

import pytest

from sandbox.local_asgi_server import LOOPBACK
from sandbox.page import fault_panel, request_log
from sandbox.page.message_rows import format_day
from sandbox.page.page_renderer import Renderer
from sandbox.page.url_state import UrlState
from sandbox.server import PAGE_PORT, serve_sandbox
from sandbox.slack import User
from sandbox.slack.errors import SlackError
from sandbox.slack.fixtures import ADA, BEN, CLEO, GUS, LEADS, SAM, SUPPORT
from sandbox.traffic_log import MAX_EXCHANGES
from sandbox.x import Endpoint, Fault
from tests.local_client import local_client
from tests.sandbox.page_kit import UnservedPage, unserved_page
from tests.sandbox.slack_kit import call, manifest


def record(page: UnservedPage, times: int, receiver: str = "slack", request: str = "{}") -> None:
    for number in range(times):
        page.traffic.record(page.x.clock(), "app", receiver, f"POST {number}", "ok", 1.0, request, "")


def test_unknown_parameters_fall_back_to_the_defaults() -> None:
    page = unserved_page()

    html = page.html(person="nobody", channel="nowhere", customer="nobody", traffic="", order="")

    assert "Message #support" in html
    assert html.count('aria-current="page"') == 1


def test_guests_and_other_organizations_see_only_their_channels() -> None:
    page = unserved_page()

    assert page.html("sidebar", person=GUS).count("/?person=") == 2
    assert "ext-skylinker" in page.html("channel", person=SAM)
    assert page.html("sidebar", person=SAM).count("/?person=") == 1


async def test_a_customer_of_another_organization_sees_their_own_slack() -> None:
    page = unserved_page()
    before = page.html("sidebar", person=SAM, channel="app")
    workspace = page.context.workspace
    posted = await call(workspace, "chat.postMessage", channel=SAM, text="How did we do?")
    sidebar, channel = (page.html(name, person=SAM, channel="app") for name in ("sidebar", "channel"))

    assert ('<p class="team">Skylinker</p>' in before, "Apps" in before) == (True, False)
    assert "Apps" in sidebar
    assert "How did we do?" in channel
    assert f'name="channel" value="{posted["channel"]}"' in channel
    assert "Northwind Air" in page.html("sidebar", person=GUS)


async def test_a_new_message_to_somebody_else_is_a_link_to_their_slack() -> None:
    page = unserved_page()
    render = Renderer(page.context).render
    before = render(UrlState(person=ADA), ("sidebar",))
    await call(page.slack, "chat.postMessage", channel=SAM, text="How did we do?")
    link = '<a href="/?person=U09SAM1V7NC&amp;channel=app" data-navigate>New message to Sam Adeyemi</a>'

    assert "New message" not in before
    assert link in render(UrlState(person=ADA, thread="1.2"), ("sidebar",))
    assert "New message" not in render(UrlState(person=SAM), ("sidebar",))
    render(UrlState(person=SAM, channel="app"), ("channel",))
    assert "New message" not in render(UrlState(person=ADA), ("sidebar",))


def test_the_phone_says_how_surveys_are_answered_with_slack_alone() -> None:
    page = unserved_page()
    page.context.transports.choose("slack")

    assert "Ask somebody in Slack, and choose them at the top to answer." in page.html("phone")


def test_the_steps_name_command_and_shortcut_to_people_of_other_organizations_too() -> None:
    steps = unserved_page().html("steps", person=SAM)

    assert "Switch to an agent, then type <kbd>/csat @" in steps
    assert "a shortcut" not in steps


def test_other_organizations_get_no_commands_or_shortcuts() -> None:
    page = unserved_page()

    assert "More actions" not in page.html("channel", person=SAM)
    assert "data-command" not in page.html("channel", person=SAM)
    assert "More actions" in page.html("channel", person=ADA)


def test_a_private_channel_is_hidden_from_non_members() -> None:
    page = unserved_page()

    html = page.html("channel", person=BEN, channel=LEADS)

    assert "numbers for October" not in html
    assert "Message #support" in html


async def test_a_direct_message_from_the_app_is_shown() -> None:
    page = unserved_page()
    await call(page.slack, "chat.postMessage", channel=ADA, text="*Refused*")

    html = page.html("channel", channel="app")

    assert "<strong>Refused</strong>" in html
    assert "Message Feedback" in html


async def test_nobody_can_write_to_an_app_whose_messages_tab_is_read_only() -> None:
    page = unserved_page(manifest(messages_tab_read_only_enabled=True))
    posted = await call(page.slack, "chat.postMessage", channel=ADA, text="How did we do?")
    thread = await call(
        page.slack, "chat.postMessage", channel=posted["channel"], text="Well?", thread_ts=posted["ts"]
    )
    html = page.html("channel", channel="app")
    with pytest.raises(SlackError, match="restricted_action"):
        await page.slack.post_message(ADA, thread["channel"], "4")

    assert "Sending messages to this app has been turned off." in html
    assert "<textarea" not in html
    assert "Well?" in (replies := page.html("thread", channel="app", thread=posted["ts"]))
    assert "<textarea" not in replies
    assert "<textarea" in page.html("channel", channel=SUPPORT)


def test_an_archived_channel_has_no_composer() -> None:
    page = unserved_page()
    page.slack.archive_channel(SUPPORT)

    html = page.html("channel")

    assert "#support is archived" in html
    assert "<p>Archived</p>" in html
    assert "<textarea" not in html
    assert '<span class="visually-hidden">, archived</span>' in page.html("sidebar")
    assert "#support (archived)" in page.html("faults")


def test_the_phone_has_no_owner_until_a_customer_is_surveyed_or_selected() -> None:
    page = unserved_page()

    assert 'aria-label="Direct messages"' in page.html("phone")
    assert 'aria-label="Direct messages to Tom Nakamura"' in page.html("phone", customer="TomInTransit")


@pytest.mark.parametrize(("days", "name"), [(0, "Today"), (1, "Yesterday"), (40, ", ")])
def test_recent_days_are_named(days: int, name: str) -> None:
    assert name in format_day(datetime.now().astimezone() - timedelta(days=days))


async def test_a_broadcast_reply_is_labeled() -> None:
    page = unserved_page()
    parent = page.slack.messages(SUPPORT, ADA)[0].ts
    await call(
        page.slack, "chat.postMessage", channel=SUPPORT, text="Done", thread_ts=parent, reply_broadcast=True
    )

    assert "replied to a thread" in page.html("channel")


async def test_consecutive_messages_of_one_author_are_grouped() -> None:
    page = unserved_page()
    for text in ("one", "two"):
        await page.slack.post_message(ADA, SUPPORT, text)

    html = page.html("channel")

    assert html[html.rindex('class="message ') :].startswith('class="message grouped"')


async def test_unread_messages_are_counted_in_the_sidebar() -> None:
    page = unserved_page()
    renderer = Renderer(page.context)
    parent = page.slack.messages(SUPPORT, ADA)[0]
    await page.slack.post_message(BEN, SUPPORT, "one")
    await page.slack.post_message(BEN, SUPPORT, "two", thread_ts=parent.ts)
    await page.slack.post_message(ADA, SUPPORT, "my own")

    before = renderer.render(UrlState(channel=LEADS), ("sidebar",))
    renderer.render(UrlState(channel=SUPPORT), ("channel",))
    between = renderer.render(UrlState(channel=LEADS), ("sidebar",))
    renderer.render(UrlState(channel=SUPPORT, thread=parent.ts), ("thread",))
    after = renderer.render(UrlState(channel=LEADS), ("sidebar",))

    assert '<span class="badge">2<' in before
    assert '<span class="badge">1<' in between
    assert 'class="badge"' not in after


@pytest.mark.parametrize(("order", "first"), [("", MAX_EXCHANGES), ("oldest", 1)])
def test_the_request_list_is_ordered_by_the_url(order: str, first: int) -> None:
    page = unserved_page()
    record(page, MAX_EXCHANGES)

    assert next(request_log.list_exchanges(page.traffic, UrlState(order=order))).number == first
    assert page.html("requests", order=order).count('class="exchange"') == MAX_EXCHANGES


def test_the_request_list_can_be_filtered_by_service() -> None:
    page = unserved_page()
    record(page, 2, "slack")
    record(page, 3, "x")

    assert len(list(request_log.list_exchanges(page.traffic, UrlState(traffic="x")))) == 3


async def test_bodies_are_loaded_only_on_demand() -> None:
    page = unserved_page()
    record(page, 1, request='{"token": "xoxb-1-secret", "text": "<b>"}')

    async with page.client() as client:
        one = (await client.get("/exchange/1")).text
        none = (await client.get("/exchange/2")).text

    assert "&lt;b&gt;" in one
    assert "secret" not in one + page.html()
    assert "no longer available" in none


async def test_only_the_requested_regions_are_rendered() -> None:
    async with unserved_page().client() as client:
        response = await client.get("/", headers={"regions": "phone nothing"})

    assert response.text.count("data-region=") == 1


async def test_a_failed_action_responds_with_a_sentence() -> None:
    async with unserved_page().client() as client:
        rated = await client.post("/rate", data={"feedback": "7", "score": "5"})
        closed = await client.post("/close", data={"person": ADA})

    assert rated.text == "Feedback 7 does not exist."
    assert closed.text == "No form is open."


async def test_a_message_to_the_app_is_rejected_before_its_first_message() -> None:
    async with unserved_page().client() as client:
        response = await client.post("/send", data={"person": SAM, "channel": "app", "text": "hello"})

    assert response.text == "You can write to the app after its first message to you."


async def test_an_external_select_without_a_response_is_empty() -> None:
    query = {"person": ADA, "action_id": "a", "block_id": "b", "query": "x", "field": "f"}
    async with unserved_page().client() as client:
        response = await client.get("/options", params=query)

    assert "No results" in response.text
    assert 'role="option"' not in response.text


async def test_start_over_requests_a_restart() -> None:
    page = unserved_page()
    async with page.client() as client:
        response = await client.post("/restart")

    assert response.text == ""
    assert page.context.restart_requested.is_set()


async def test_other_transports_are_requested_once() -> None:
    page = unserved_page()
    async with page.client() as client:
        for choice in ("nonsense", "all"):
            await client.post("/transports", data={"transports": choice})
        assert not page.context.transports.changed.is_set()
        await client.post("/transports", data={"transports": "link"})

    assert page.context.transports.changed.is_set()
    assert "Messages, surveys and answers stay." in page.html("top_bar")


def test_every_fault_of_x_can_be_selected() -> None:
    html = unserved_page().html("faults")
    offered = {
        endpoint: [fault for _, members in fault_panel.group_faults(endpoint) for fault in members]
        for endpoint in fault_panel.X_REQUESTS
    }

    assert set().union(*offered.values()) == set(Fault)
    assert all(len(faults) == len(set(faults)) for faults in offered.values())
    assert [
        fault
        for fault in Fault
        if html.count(f'value="{fault.name}"') != sum(fault in faults for faults in offered.values())
    ] == []


def test_selected_problems_are_simulated_until_cleared() -> None:
    page = unserved_page()
    controls = Renderer(page.context).fault_controls

    controls.apply(
        {
            "create": "HANG",
            "lookup": "RESET",
            "send_message": "MESSAGE_REQUEST",
            "chat.postMessage": "503",
            "slow": "on",
            "duplicates": "on",
            "old_blocks": "on",
        }
    )
    sentences = list(controls.describe())
    controls.clear()

    assert len(sentences) == 7
    assert list(controls.describe()) == []


def test_a_fault_for_the_next_request_ends_by_itself() -> None:
    page = unserved_page()
    controls = Renderer(page.context).fault_controls

    controls.apply({"create": "HANG", "once": "on"})

    assert page.x.take_fault(Endpoint.CREATE) is Fault.HANG
    assert list(controls.describe()) == []


def test_the_url_contains_only_values_other_than_the_defaults() -> None:
    url_state = UrlState(person=ADA, thread="1.2")

    assert url_state.query(thread="", channel="C1") == f"person={ADA}&channel=C1"
    assert UrlState.parse({"person": ADA, "thread": "1.2", "other": "x"}) == url_state


async def test_the_page_uses_a_free_port_if_its_own_is_taken() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        async with serve_sandbox(manifest(), page_port=port) as sandbox:
            assert sandbox.page_url.startswith(f"http://{LOOPBACK}:")
            assert not sandbox.page_url.endswith(f":{port}")

    assert port != PAGE_PORT


async def test_an_open_page_does_not_delay_the_shutdown(caplog: pytest.LogCaptureFixture) -> None:
    async with local_client() as client, contextlib.AsyncExitStack() as stack:
        async with serve_sandbox(manifest(), page_port=0) as sandbox:
            stream = client.stream("GET", f"{sandbox.page_url}/events")
            lines = (await stack.enter_async_context(stream)).aiter_lines()
            assert await anext(lines) == "retry: 500"
            await client.get(sandbox.page_url)
            sandbox.workspace.pubsub.publish("phone")
            assert [await anext(lines) for _ in range(2)] == ["", "data: phone"]

        assert [line async for line in lines] == [""]

    assert caplog.messages == []


def test_roles_are_shown_beside_names() -> None:
    page = unserved_page()
    page.slack.users["U09INES"] = User(
        "U09INES", "ines", "Ines, who has left all channels", page.slack.team.id
    )

    html = page.html("top_bar", "sidebar", person=CLEO)

    assert "Cleo Marchetti (supervisor)" in html
    assert "Cleo Marchetti<small>supervisor</small>" in html
    assert "Ada Okafor (agent)" in html
    assert "Gus Lindqvist (guest)" in html
    assert '<optgroup label="Skylinker">' in html
    assert "Sam Adeyemi (customer)" in html
    assert "Noor Haddad (customer, no direct messages)" in html
    assert "Rui Tavares (customer, no shared channel)" in html
    assert "Ines" not in html


async def test_sample_data_is_requested_once_and_its_progress_is_shown() -> None:
    page = unserved_page()
    sample_data = page.context.sample_data
    async with page.client() as client:
        await client.post("/add-sample-data")
        sample_data.update("1,200 of 3,000 surveys")
        await client.post("/add-sample-data")
        running = page.html("top_bar")
        sample_data.finish("3,000 surveys, 1,310 answers")
        done = page.html("top_bar")

    assert sample_data.requested.is_set()
    assert "1,200 of 3,000 surveys" in running
    assert 'aria-disabled="true"' in running
    assert "3,000 surveys, 1,310 answers" in done
    assert ">Sample data added</button>" in done


def test_sample_data_can_be_requested_again_after_a_failure() -> None:
    page = unserved_page()
    page.context.sample_data.request()

    page.context.sample_data.allow_again("The database is unavailable.")

    assert not page.context.sample_data.requested.is_set()
    assert "The database is unavailable." in page.html("top_bar")
    assert "aria-disabled" not in page.html("top_bar")


async def test_monday_comes_as_often_as_somebody_asks_for_it() -> None:
    page = unserved_page()
    digest = page.context.digest
    async with page.client() as client:
        await client.post("/let-monday-come")
        running = page.html("top_bar")
        digest.allow_again("The digest is in #csat-results.")
        posted = page.html("top_bar")
        await client.post("/let-monday-come")

    assert "Monday comes…" in running
    assert 'aria-disabled="true"' in running
    assert "The digest is in #csat-results." in posted
    assert "aria-disabled" not in posted
    assert digest.requested.is_set()


async def test_the_sandbox_has_supervisors_and_a_results_channel() -> None:
    async with serve_sandbox(manifest(), page_port=0, supervisors=[BEN]) as sandbox:
        channel = sandbox.workspace.channels[sandbox.results_channel]
        sample_data = sandbox.page.sample_data
        sample_data.request()
        sample_data.update("half")
        sample_data.allow_again("no")
        is_requested = sample_data.requested.is_set()
        sample_data.finish("done")

    assert sandbox.page.supervisors == {BEN}
    assert channel.is_private
    assert sandbox.workspace.bot.id in channel.members
    assert not is_requested
    assert sample_data.status == "done"

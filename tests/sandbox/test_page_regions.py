import contextlib
import socket
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest

from sandbox.page import faults, request_log
from sandbox.page.message_rows import day
from sandbox.page.renderer import Renderer
from sandbox.page.url_state import UrlState
from sandbox.server import PAGE_PORT, serve_sandbox
from sandbox.serving import LOOPBACK
from sandbox.slack.fixtures import ADA, BEN, CLEO, GUS, LEADS, SAM, SUPPORT
from sandbox.traffic import MAX_EXCHANGES
from sandbox.x import Endpoint, Fault
from tests.sandbox.test_page_kit import Shown, shown
from tests.sandbox.test_slack_kit import call, manifest


def record(page: Shown, times: int, receiver: str = "slack", request: str = "{}") -> None:
    for number in range(times):
        page.traffic.record(page.x.clock(), "app", receiver, f"POST {number}", "ok", 1.0, request, "")


def test_an_unknown_address_shows_the_usual() -> None:
    page = shown()

    html = page.html(person="nobody", channel="nowhere", customer="nobody", traffic="", order="")

    assert "Message #support" in html
    assert html.count('aria-current="page"') == 1


def test_a_guest_and_a_stranger_see_their_channels_alone() -> None:
    page = shown()

    assert page.html("sidebar", person=GUS).count("/?person=") == 2
    assert "ext-skylinker" in page.html("channel", person=SAM)
    assert page.html("sidebar", person=SAM).count("/?person=") == 1


def test_an_app_offers_nothing_to_people_of_other_teams() -> None:
    page = shown()

    assert "More actions" not in page.html("channel", person=SAM)
    assert "data-complete" not in page.html("channel", person=SAM)
    assert "More actions" in page.html("channel", person=ADA)


def test_nobody_looks_into_a_channel_of_others() -> None:
    page = shown()

    html = page.html("channel", person=BEN, channel=LEADS)

    assert "numbers for October" not in html
    assert "Message #support" in html


async def test_the_app_can_write_to_somebody() -> None:
    page = shown()
    await call(page.slack, "chat.postMessage", channel=ADA, text="*Refused*")

    html = page.html("channel", channel="app")

    assert "<strong>Refused</strong>" in html
    assert "Message Feedback" in html


def test_nobody_writes_in_an_archived_channel() -> None:
    page = shown()
    page.slack.archive_channel(SUPPORT)

    html = page.html("channel")

    assert "#support is archived" in html
    assert "<p>Archived</p>" in html
    assert "<textarea" not in html
    assert '<span class="unseen">, archived</span>' in page.html("sidebar")
    assert "#support (archived)" in page.html("trouble")


def test_the_phone_is_nobody_s_until_somebody_is_asked_or_chosen() -> None:
    page = shown()

    assert 'aria-label="Messages to whoever is asked"' in page.html("phone")
    assert 'aria-label="Messages to Tom Nakamura"' in page.html("phone", customer="TomInTransit")


@pytest.mark.parametrize(("days", "name"), [(0, "Today"), (1, "Yesterday"), (40, ", ")])
def test_a_day_is_named_as_one_speaks_of_it(days: int, name: str) -> None:
    assert name in day(datetime.now().astimezone() - timedelta(days=days))


async def test_a_reply_that_was_broadcast_says_so() -> None:
    page = shown()
    parent = page.slack.messages(SUPPORT, ADA)[0].ts
    await call(
        page.slack, "chat.postMessage", channel=SUPPORT, text="Done", thread_ts=parent, reply_broadcast=True
    )

    assert "replied to a thread" in page.html("channel")


async def test_messages_of_one_author_stand_together() -> None:
    page = shown()
    for text in ("one", "two"):
        await page.slack.post_message(ADA, SUPPORT, text)

    html = page.html("channel")

    assert html[html.rindex('class="message') :].startswith('class="message compact"')


async def test_what_came_since_one_looked_is_counted_in_the_side_bar() -> None:
    page = shown()
    stage = Renderer(page.sources)
    parent = page.slack.messages(SUPPORT, ADA)[0]
    await page.slack.post_message(BEN, SUPPORT, "one")
    await page.slack.post_message(BEN, SUPPORT, "two", thread_ts=parent.ts)
    await page.slack.post_message(ADA, SUPPORT, "my own")

    before = stage.draw(UrlState(channel=LEADS), ("sidebar",))
    stage.draw(UrlState(channel=SUPPORT), ("channel",))
    between = stage.draw(UrlState(channel=LEADS), ("sidebar",))
    stage.draw(UrlState(channel=SUPPORT, thread=parent.ts), ("thread",))
    after = stage.draw(UrlState(channel=LEADS), ("sidebar",))

    assert '<span class="count">2<' in before
    assert '<span class="count">1<' in between
    assert 'class="count"' not in after


@pytest.mark.parametrize(("order", "first"), [("", MAX_EXCHANGES), ("oldest", 1)])
def test_the_drawer_begins_where_one_asks(order: str, first: int) -> None:
    page = shown()
    record(page, MAX_EXCHANGES)

    assert next(request_log.listed(page.traffic, UrlState(order=order))).number == first
    assert page.html("traffic", order=order).count('class="exchange"') == MAX_EXCHANGES


def test_the_drawer_lists_one_service_alone() -> None:
    page = shown()
    record(page, 2, "slack")
    record(page, 3, "x")

    assert len(list(request_log.listed(page.traffic, UrlState(traffic="x")))) == 3


async def test_a_request_shows_its_bodies_only_when_asked() -> None:
    page = shown()
    record(page, 1, request='{"token": "xoxb-1-secret", "text": "<b>"}')

    async with page.client() as client:
        one = (await client.get("/exchange/1")).text
        none = (await client.get("/exchange/2")).text

    assert "&lt;b&gt;" in one
    assert "secret" not in one + page.html()
    assert "no longer kept" in none


async def test_only_the_regions_that_changed_are_drawn() -> None:
    async with shown().client() as client:
        answer = await client.get("/", headers={"regions": "phone nothing"})

    assert answer.text.count("data-region=") == 1


async def test_what_is_not_possible_is_said_in_a_sentence() -> None:
    async with shown().client() as client:
        rated = await client.post("/rate", data={"feedback": "7", "score": "5"})
        closed = await client.post("/close", data={"person": ADA})

    assert rated.text == "Feedback 7 does not exist."
    assert closed.text == "No form is open."


async def test_nobody_writes_to_an_app_that_knows_them_not() -> None:
    async with shown().client() as client:
        said = await client.post("/say", data={"person": SAM, "channel": "app", "text": "hello"})

    assert said.text == "The app has not written to you yet."


async def test_an_external_select_without_an_answer_is_empty() -> None:
    query = {"person": ADA, "action_id": "a", "block_id": "b", "query": "x", "field": "f"}
    async with shown().client() as client:
        answer = await client.get("/options", params=query)

    assert "No results" in answer.text
    assert 'role="option"' not in answer.text


async def test_starting_over_is_left_to_whoever_runs_the_page() -> None:
    page = shown()
    async with page.client() as client:
        answer = await client.post("/start-over")

    assert answer.text == ""
    assert page.sources.over.is_set()


def test_every_trouble_of_x_is_offered() -> None:
    html = shown().html("trouble")

    assert [name for name in Fault.__members__ if html.count(f'value="{name}"') != 2] == []
    assert sum(len(members) for _, members in faults.families()) == len(Fault)


def test_trouble_is_made_and_ended_as_the_panel_says() -> None:
    page = shown()
    troubles = Renderer(page.sources).troubles

    troubles.apply(
        {
            "create": "HANG",
            "lookup": "RESET",
            "chat.postMessage": "503",
            "slow": "on",
            "repeats": "on",
            "plain": "on",
        }
    )
    said = list(troubles.sentences())
    troubles.clear()

    assert len(said) == 6
    assert list(troubles.sentences()) == []


def test_trouble_for_the_next_time_ends_by_itself() -> None:
    page = shown()
    troubles = Renderer(page.sources).troubles

    troubles.apply({"create": "HANG", "once": "on"})

    assert page.x.take_fault(Endpoint.CREATE) is Fault.HANG
    assert list(troubles.sentences()) == []


def test_the_address_says_what_differs_from_the_usual() -> None:
    look = UrlState(person=ADA, thread="1.2")

    assert look.query(thread="", channel="C1") == f"person={ADA}&channel=C1"
    assert UrlState.read({"person": ADA, "thread": "1.2", "other": "x"}) == replace(look)


async def test_the_page_takes_a_free_port_where_its_own_is_taken() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        async with serve_sandbox(manifest(), page_port=port) as running:
            assert running.page_url.startswith(f"http://{LOOPBACK}:")
            assert not running.page_url.endswith(f":{port}")

    assert port != PAGE_PORT


async def test_a_browser_that_looks_does_not_hold_the_end_up(caplog: pytest.LogCaptureFixture) -> None:
    async with httpx.AsyncClient(trust_env=False) as client, contextlib.AsyncExitStack() as stack:
        async with serve_sandbox(manifest(), page_port=0) as running:
            stream = client.stream("GET", f"{running.page_url}/rings")
            lines = (await stack.enter_async_context(stream)).aiter_lines()
            assert await anext(lines) == "retry: 500"
            await client.get(running.page_url)
            running.workspace.pubsub.publish("phone")
            assert [await anext(lines) for _ in range(2)] == ["", "data: phone"]

        assert [line async for line in lines] == [""]

    assert caplog.messages == []


def test_everybody_s_role_stands_beside_their_name() -> None:
    page = shown()

    html = page.html("strip", "sidebar", person=CLEO)

    assert "Cleo Marchetti (supervisor)" in html
    assert "Cleo Marchetti<small>supervisor</small>" in html
    assert "Ada Okafor (agent)" in html
    assert "Gus Lindqvist (guest)" in html
    assert "Sam Adeyemi (another team)" in html


async def test_three_months_are_asked_for_once_and_how_far_they_are_is_told() -> None:
    page = shown()
    filling = page.sources.filling
    async with page.client() as client:
        await client.post("/fill")
        filling.say("1,200 of 3,000 surveys")
        await client.post("/fill")
        under_way = page.html("strip")
        filling.finish("3,000 surveys, 1,310 answers")
        done = page.html("strip")

    assert filling.asked.is_set()
    assert "1,200 of 3,000 surveys" in under_way
    assert 'aria-disabled="true"' in under_way
    assert "3,000 surveys, 1,310 answers" in done
    assert ">Filled</button>" in done


def test_three_months_that_failed_can_be_asked_for_again() -> None:
    page = shown()
    page.sources.filling.ask()

    page.sources.filling.fail("The ledger is away.")

    assert not page.sources.filling.asked.is_set()
    assert "The ledger is away." in page.html("strip")
    assert "aria-disabled" not in page.html("strip")


async def test_the_demo_names_its_supervisors_and_their_channel() -> None:
    async with serve_sandbox(manifest(), page_port=0, supervisors=[BEN]) as running:
        channel = running.workspace.channels[running.results_channel]
        running.filling.ask()
        running.progressed("half")
        running.not_filled("no")
        asked = running.fill.is_set()
        running.filled("done")

    assert running.supervisors == (BEN,)
    assert channel.is_private
    assert running.workspace.bot.id in channel.members
    assert not asked
    assert running.filling.text == "done"

"""Surveys by a link in a direct message on X, from the form to the answer."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import httpx
import pytest

from blocks.survey_notifications import CANCEL_ACTION
from blocks.uncertain_survey import ARRIVED_ACTION, SEND_AGAIN_ACTION
from csat.db import tables
from csat.db.outbox import NotificationKind
from csat.surveys.link_message import OPT_OUT
from sandbox.slack import fixtures
from sandbox.x import Endpoint, Fault
from sandbox.x.link_previews import USER_AGENTS
from tests.databases import SLOW_KINDS, Databases
from tests.factories import SUPERVISED
from tests.local_client import local_client
from tests.rating_page_kit import answer_on_page, link_settings, linking, send_link
from tests.world import (
    World,
    change_settings,
    idle_world,
    is_app_idle,
    running_app,
    running_world,
    visible_text,
)

MIRA = "/csat @mira_k"
CHECK_CUSTOMER = "Check whom you talked with before you ask again."
REFUSED = {
    Fault.NOT_OPEN_TO_MESSAGES: "This customer can't be messaged",
    Fault.VERIFIED_ONLY: "takes messages from strangers only if those are verified",
    Fault.OPERATION_NOT_PERMITTED: "X doesn't let your brand send this message",
}
REFUSED_LIKE_CARDS = {
    Fault.MESSAGE_TOO_LONG: "X says the message is too long. Shorten it and send it again.",
    Fault.BLOCKED: "Ask them on X to write to you first, then send the survey.",
    Fault.DMS_CLOSED: "Ask them on X to write to you first, then send the survey.",
    Fault.NOT_FOLLOWING: "Ask them on X to follow you or to write to you first, then send the survey.",
    Fault.LOOKS_AUTOMATED: "Put it in your own words and send it again.",
}
"""Faults of cards too, which X names there by a code, and here by words alone."""
PAUSES = {
    Fault.USAGE_CAPPED: "this app has no API credit left",
    Fault.SPENDING_LIMIT: "this app has no API credit left",
    Fault.NOT_ENROLLED: "this app is not enrolled in its API",
    Fault.UNSUPPORTED_AUTHENTICATION: "it doesn't let this app write direct messages",
    Fault.NO_MESSAGE_PERMISSION: "it doesn't let this app write direct messages",
}
"""Faults of the account or of the whole app."""


def link_in(text: str) -> str:
    """Return the link in a direct message."""
    return next(word for word in text.split() if word.startswith("http"))


def visible_form(world: World) -> str:
    """Return what Ada reads in her form."""
    return visible_text(world.workspace.current_view(fixtures.ADA))


async def test_the_customer_gets_the_message_one_link_and_the_way_to_opt_out(tmp_path: Path) -> None:
    async with linking(tmp_path) as world:
        await world.submit_survey(MIRA, message="How was it?")
        await world.wait_for_message("sent a survey to @mira_k on X.")

        [message] = world.x.messages.inbox(world.x.customer("mira_k"))
        [link] = message.urls
        assert message.text == f"How was it?\n\n{link}\n\n{OPT_OUT}"
        assert world.x.feedbacks == []
        assert world.rows(tables.surveys.c.state, tables.surveys.c.transport) == [("sent", "x_link")]


async def test_an_answer_on_the_page_is_confirmed_at_once(tmp_path: Path) -> None:
    async with linking(tmp_path) as world, local_client(follow_redirects=True) as browser:
        link = await send_link(world)
        response = await browser.post(link, data={"rating": "4", "action": "rate"})

        assert response.status_code == httpx.codes.OK
        await world.wait_for_message("They answered.")
        assert world.rows(tables.surveys.c.state, tables.surveys.c.rating) == [("answered", 4)]


async def test_requesters_read_that_the_survey_was_not_meant_for_who_got_it(tmp_path: Path) -> None:
    told = "said that the survey wasn't meant for them"
    async with linking(tmp_path) as world, local_client(follow_redirects=True) as browser:
        link = await send_link(world)
        await browser.post(link, data={"action": "disown"})
        await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @mira_k")
        status = visible_text(await world.wait_for_message(told))
        home = visible_text(await world.open_home())

    assert f"{told}, asked by <@{fixtures.ADA}> · {CHECK_CUSTOMER}" in status
    assert f"Your last 30 days: 1 sent · 1 {told}" in home
    assert f"CSAT: {told} · {CHECK_CUSTOMER}" in home
    assert "answer" not in status
    assert "waiting" not in home


async def test_a_survey_that_was_not_meant_for_who_got_it_is_not_counted_as_open(tmp_path: Path) -> None:
    async with linking(tmp_path, **SUPERVISED) as world, local_client(follow_redirects=True) as browser:
        link = await send_link(world)
        await browser.post(link, data={"action": "disown"})
        await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat report 7d")
        report = visible_text(await world.wait_for_message("still open", viewer=fixtures.CLEO))

        counts = "0 still open · 0 expired · 1 said that the survey wasn't meant for them"
        assert f"1 sent · 0 answers · 0 comments · {counts}" in report


async def test_the_preview_shows_what_the_customer_will_read(tmp_path: Path) -> None:
    async with linking(tmp_path) as world:
        view = await world.open_form(MIRA)

        shown = visible_text(view)
        assert f"{world.settings.csat_public_url}/r/…\n{OPT_OUT}\n" in shown
        assert "What is your overall satisfaction with Northwind?" in shown


@pytest.mark.parametrize("transport", ["x_card", "x_link"])
async def test_only_a_card_leaves_customers_on_x_com_with_just_the_message(
    tmp_path: Path, transport: str
) -> None:
    async with linking(tmp_path, csat_transports=(transport,)) as world:
        await world.open_form(MIRA)
        view = await world.show_options()

        hint = "On x.com, the customer sees only this message."
        assert (hint in str(view.blocks)) is (transport == "x_card")


async def test_questions_about_twitter_are_not_offered(tmp_path: Path) -> None:
    async with linking(tmp_path) as world:
        assert "on Twitter" not in str((await world.open_form(MIRA)).blocks)


async def test_a_choice_is_offered_where_there_is_more_than_one_transport(tmp_path: Path) -> None:
    async with linking(tmp_path, csat_transports=("x_card", "x_link")) as world:
        await world.open_form(MIRA)
        await world.show_options()
        await world.workspace.select(fixtures.ADA, "transport", "x_link")
        await world.wait_until(lambda: "/r/…" in visible_form(world))
        await world.workspace.submit_view(fixtures.ADA)

        await world.wait_for_message("sent a survey to @mira_k on X.")
        assert len(world.x.messages.inbox(world.x.customer("mira_k"))) == 1


async def test_without_a_public_address_there_is_nothing_to_choose(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world:
        await world.open_form(MIRA)

        assert "Send as" not in visible_text(await world.show_options())


async def test_a_brand_without_a_name_is_asked_for_one(tmp_path: Path) -> None:
    async with linking(tmp_path, csat_display_name="") as world:
        result = await world.submit_survey(MIRA)

        assert list(result.errors) == ["display_name"]
        assert world.x.messages.sent == []


async def test_link_previews_leave_no_trace(tmp_path: Path) -> None:
    async with linking(tmp_path) as world, aiohttp.ClientSession() as session:
        link = await send_link(world)
        await world.x.messages.previewer.wait()
        await world.wait_until(world.is_outbox_empty)
        before = traces(world)
        world.x.messages.previewer.start(link)
        await world.x.messages.previewer.wait()
        for user_agent in USER_AGENTS.values():
            headers = {"user-agent": user_agent, "sec-purpose": "prefetch"}
            for url in (link, f"{link}?s=1&rating=1&action=rate", f"{link}?action=opt_out"):
                async with session.head(url, headers=headers) as response:
                    assert response.status == httpx.codes.OK

        previews = world.x.messages.previewer.previews
        assert [preview.status for preview in previews] == [200] * 2 * len(USER_AGENTS)
        columns = tables.surveys.c
        assert world.rows(columns.state, columns.rating, columns.disowned_at) == [("sent", None, None)]
        assert traces(world) == before


def traces(world: World) -> tuple[object, ...]:
    """Return what the app keeps and shows of the surveys."""
    kept = [tables.surveys, tables.attempts, tables.outbox, tables.follow_ups, tables.opt_outs, tables.audit]
    return *map(world.rows, kept), [visible_text(message) for message in world.app_messages()]


@pytest.mark.parametrize("fault", [Fault.GATEWAY_TIMEOUT_AFTER, Fault.INTERNAL_ERROR_AFTER])
async def test_an_unconfirmed_message_is_found_in_the_conversation_minutes_later(
    tmp_path: Path, fault: Fault
) -> None:
    async with linking(tmp_path) as world:
        world.x.fail(fault, Endpoint.SEND_MESSAGE, times=1)
        await world.submit_survey(MIRA)
        question = visible_text(await world.wait_for_dm("may not have arrived"))
        assert "we look at the conversation, which usually settles it within minutes" in question

        await world.advance(minutes=6)
        await world.wait_for_message("sent a survey to @mira_k on X.")
        assert len(world.x.messages.sent) == 1


async def test_a_survey_that_is_confirmed_late_expires_14_days_after_it_was_sent(tmp_path: Path) -> None:
    async with linking(tmp_path) as world:
        world.x.fail(Fault.GATEWAY_TIMEOUT, Endpoint.SEND_MESSAGE, times=1)
        await world.submit_survey(MIRA)
        asked = await world.wait_for_dm("may not have arrived")
        await world.advance(days=10)
        await world.workspace.click(fixtures.ADA, ARRIVED_ACTION, channel=asked.channel, ts=asked.ts)
        await world.wait_until(lambda: world.states() == ["sent"])
        await world.advance(days=5)

        await world.wait_until(lambda: world.states() == ["expired"])


async def test_a_message_that_is_not_found_is_left_to_its_requester_who_is_told(tmp_path: Path) -> None:
    async with linking(tmp_path) as world:
        world.x.fail(Fault.GATEWAY_TIMEOUT, Endpoint.SEND_MESSAGE, times=1)
        await world.submit_survey(MIRA)
        question = await world.wait_for_dm("settles it within minutes")
        await world.advance(minutes=6)
        left = await world.wait_for_dm("only you can settle it")

        assert left.ts == question.ts
        assert world.find_dm("settles it within minutes") is None
        await world.workspace.click(fixtures.ADA, ARRIVED_ACTION, channel=left.channel, ts=left.ts)
        await world.wait_until(lambda: world.states() == ["sent"])


async def test_a_customer_who_answers_shows_that_an_uncertain_survey_arrived(tmp_path: Path) -> None:
    async with linking(tmp_path) as world, local_client(follow_redirects=True) as browser:
        world.x.fail(Fault.GATEWAY_TIMEOUT_AFTER, Endpoint.SEND_MESSAGE, times=1)
        await world.submit_survey(MIRA)
        await world.wait_for_dm("may not have arrived")
        link = link_in(world.x.messages.inbox(world.x.customer("mira_k"))[-1].text)
        await browser.post(link, data={"rating": "5", "action": "rate"})

        await world.wait_for_message("They answered.")
        assert world.states() == ["answered"]


@pytest.mark.parametrize("endpoint", [Endpoint.LOOKUP, Endpoint.SEND_MESSAGE])
@pytest.mark.parametrize(
    ("fault", "reason", "fix"),
    [
        (Fault.NO_CREDIT, "no API credit left", "Buy credit"),
        (Fault.NOT_ENROLLED, "not enrolled in its API", "move the app to the package Pay-per-use"),
    ],
)
async def test_without_credit_or_enrolment_surveys_wait_and_operators_are_told(
    tmp_path: Path, endpoint: Endpoint, fault: Fault, reason: str, fix: str
) -> None:
    async with linking(tmp_path, csat_operators={fixtures.CLEO}) as world:
        world.x.fail(fault, endpoint)
        await world.submit_survey(MIRA)

        assert fix in visible_text(await world.wait_for_dm(reason, fixtures.CLEO))
        await world.wait_until(lambda: world.states() == ["accepted"])
        world.x.recover()
        await world.advance(minutes=10)
        await world.wait_until(lambda: world.states() == ["sent"])


async def test_the_cooldown_holds_over_all_transports(tmp_path: Path) -> None:
    async with linking(tmp_path, csat_transports=("x_card", "x_link")) as world:
        await world.send_survey(MIRA)
        await world.open_form(MIRA)
        await world.show_options()
        await world.workspace.select(fixtures.ADA, "transport", "x_link")
        await world.wait_until(lambda: "/r/…" in visible_form(world))
        result = await world.workspace.submit_view(fixtures.ADA)

        assert result.errors == {"recipient:0": "Nothing was sent."}
        assert world.x.messages.sent == []


async def test_the_daily_limit_of_one_transport_leaves_the_other(tmp_path: Path, database_url: str) -> None:
    transports = {"csat_transports": ("x_card", "x_link"), "csat_daily_limit": 1, "csat_daily_link_limit": 1}
    denied = "Can't be asked by {} until . The limit of surveys in 24 hours is used up."
    by_card, by_link = denied.format("X's feedback card"), denied.format("a link in a direct message")
    left = "No limit keeps you from asking them by a link in a direct message."
    async with linking(tmp_path, database_url=database_url, **transports) as world:
        await world.send_survey(MIRA)
        assert f"{by_card}{left}" in await read_status(world)

        await world.open_form("/csat @sofie_l")
        await world.show_options()
        assert by_card in visible_form(world)
        await world.workspace.select(fixtures.ADA, "transport", "x_link")
        await world.wait_until(lambda: "/r/…" in visible_form(world))
        assert "Can't be asked" not in visible_form(world)
        await world.workspace.submit_view(fixtures.ADA)
        await world.wait_for_message("sent a survey to @sofie_l on X.")

        status = await read_status(world)
        assert by_card in status
        assert left not in status
        await world.open_form("/csat @ada_travels")
        await world.show_options()
        await world.workspace.select(fixtures.ADA, "transport", "x_link")
        await world.wait_until(lambda: by_link in visible_form(world))
        assert by_card not in visible_form(world)


async def test_another_transport_is_previewed_for_a_former_agent_who_learns_nothing_of_the_customer(
    tmp_path: Path,
) -> None:
    transports = ("x_card", "x_link")
    async with linking(tmp_path, csat_transports=transports, csat_agents=fixtures.AGENTS) as world:
        await world.send_survey(MIRA)
        await world.open_form("/csat")
        await world.show_options()
        world.workspace.usergroups[fixtures.AGENTS].users.remove(fixtures.ADA)
        await world.advance(minutes=6)
        await world.fill_in(recipient="@mira_k")
        await world.workspace.select(fixtures.ADA, "transport", "x_link")
        await world.wait_until(lambda: "/r/…" in visible_form(world))

        assert "Can't be asked" not in visible_form(world)


async def read_status(world: World) -> str:
    """Return the reply to Ada's newest `/csat status`, about a customer whom nobody has asked."""
    number = world.count_messages("Nobody has asked them yet.")
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @ada_travels")
    await world.wait_until(lambda: world.count_messages("Nobody has asked them yet.") > number)
    return visible_text(world.find_message("Nobody has asked them yet."))


async def test_an_unanswered_survey_expires_without_asking_x(tmp_path: Path) -> None:
    async with linking(tmp_path) as world:
        await send_link(world)
        await world.advance(days=14, minutes=11)

        await world.wait_for_message("No answer within two weeks.")
        assert not [request for request in world.x.requests if "feedback/" in request.path]


async def test_a_customer_who_answers_before_x_responds_is_confirmed_once(tmp_path: Path) -> None:
    async with linking(tmp_path) as world, local_client(follow_redirects=True) as browser:
        with world.x.hold(Endpoint.SEND_MESSAGE):
            await world.submit_survey(MIRA)
            inbox = await world.wait_until(lambda: world.x.messages.inbox(world.x.customer("mira_k")))
            await browser.post(link_in(inbox[-1].text), data={"rating": "5", "action": "rate"})
            await world.wait_for_message("They answered.")
        columns = tables.surveys.c
        await world.wait_until(lambda: world.rows(columns.feedback_id)[0][0])
        await world.wait_until(world.is_outbox_empty)

        assert world.rows(columns.state, columns.rating) == [("answered", 5)]
        assert world.count_messages("sent a survey to @mira_k on X.") == 1
        assert world.rows(tables.attempts.c.outcome) == [("sent",)]


async def test_a_survey_that_waits_while_its_transport_is_switched_off_is_refused(tmp_path: Path) -> None:
    async with idle_world(tmp_path, **link_settings()) as world:
        world.x.fail(Fault.OVER_CAPACITY, Endpoint.SEND_MESSAGE)
        async with running_app(world):
            await world.submit_survey(MIRA)
            await world.wait_until(lambda: ("accepted",) in world.rows(tables.attempts.c.outcome))
            await world.wait_until(is_app_idle)
        world.x.recover()
        only_cards = {"csat_transports": ("x_card",), "csat_public_url": ""}
        settings = change_settings(world.settings, **only_cards)
        world.clock.advance(minutes=20)
        async with running_app(replace(world, settings=settings)):
            refusal = await world.wait_for_dm("This app no longer sends surveys that way.")

    assert "was not sent" in visible_text(refusal)
    assert (world.states(), world.x.messages.sent, world.x.feedbacks) == (["refused"], [], [])


def test_every_fault_of_direct_messages_is_tested() -> None:
    possible = {fault for fault in Fault if Endpoint.SEND_MESSAGE in fault.value.endpoints}
    also_of_cards = {fault for fault in possible if Endpoint.CREATE in fault.value.endpoints}

    assert (
        set(REFUSED) | set(PAUSES) | {Fault.APP_DAILY_LIMIT, Fault.MESSAGE_REQUEST}
        == possible - also_of_cards
    )


@pytest.mark.parametrize(
    ("fault", "told"),
    [*REFUSED.items(), *REFUSED_LIKE_CARDS.items()],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
async def test_a_message_that_x_refuses_tells_its_cause(tmp_path: Path, fault: Fault, told: str) -> None:
    async with linking(tmp_path) as world:
        world.x.fail(fault, Endpoint.SEND_MESSAGE)
        await world.submit_survey(MIRA)
        message = visible_text(await world.wait_for_message("was not sent"))

        assert told in message
        assert "Edit and try again" in message
        assert world.states() == ["refused"]


@pytest.mark.parametrize("fault", PAUSES, ids=lambda fault: fault.name)
async def test_a_message_that_the_app_may_not_send_waits_for_an_admin(tmp_path: Path, fault: Fault) -> None:
    async with linking(tmp_path) as world:
        world.x.fail(fault, Endpoint.SEND_MESSAGE)
        await world.submit_survey(MIRA)
        message = visible_text(await world.wait_for_waiting_message())

        assert f"X isn't accepting surveys ({PAUSES[fault]})" in message
        assert world.states() == ["accepted"]


async def test_the_app_s_daily_limit_at_x_puts_links_off(tmp_path: Path) -> None:
    async with linking(tmp_path) as world:
        world.x.fail(Fault.APP_DAILY_LIMIT, Endpoint.SEND_MESSAGE)
        await world.submit_survey(MIRA)

        assert "X's limit for 24 hours is used up" in visible_text(await world.wait_for_waiting_message())


async def test_a_link_among_the_message_requests_was_sent(tmp_path: Path) -> None:
    async with linking(tmp_path) as world:
        world.x.fail(Fault.MESSAGE_REQUEST, Endpoint.SEND_MESSAGE)
        await world.submit_survey(MIRA)
        await world.wait_for_message("sent a survey to @mira_k on X.")

        assert len(world.x.messages.requests(world.x.customer("mira_k"))) == 1


@pytest.fixture(name="linked", params=SLOW_KINDS)
async def _linked(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """An app whose usual transport is the link, on each kind of database."""
    async with linking(tmp_path, database_url=databases.make(request.param, tmp_path)) as world:
        yield world


async def send_unconfirmed(world: World) -> str:
    """Send a survey that arrives unconfirmed, and return its link."""
    world.x.fail(Fault.GATEWAY_TIMEOUT_AFTER, Endpoint.SEND_MESSAGE)
    await world.submit_survey(MIRA)
    await world.wait_for_dm("may not have arrived")
    return newest_link(world)


def newest_link(world: World) -> str:
    return link_in(world.x.messages.inbox(world.x.customer("mira_k"))[-1].text)


async def test_the_question_whether_a_survey_arrived_closes_if_its_customer_answers_while_it_is_posted(
    linked: World,
) -> None:
    linked.x.fail(Fault.GATEWAY_TIMEOUT_AFTER, Endpoint.SEND_MESSAGE)
    with linked.workspace.faults.hold("chat.postMessage", times=1) as hold:
        await linked.submit_survey(MIRA)
        await hold.arrived.wait()
        asked = await linked.wait_for_dm("may not have arrived")
        async with local_client(follow_redirects=True) as browser:
            await browser.post(newest_link(linked), data={"rating": "5", "action": "rate"})
        await linked.wait_until(lambda: linked.count_sent_notifications(NotificationKind.SENT))
    settled = await linked.wait_for_dm("The survey to @mira_k was sent.")
    await linked.wait_until(is_app_idle)

    assert settled.ts == asked.ts
    assert not linked.find_message("X didn't confirm the survey to @mira_k at once.")


async def send_again(world: World, fault: Fault) -> None:
    """Send the survey that was asked about last again; X responds with a fault."""
    await world.wait_until(world.is_outbox_empty)
    world.x.fail(fault, Endpoint.SEND_MESSAGE)
    asked = await world.wait_for_dm("may not have arrived")
    await world.workspace.click(fixtures.ADA, SEND_AGAIN_ACTION, channel=asked.channel, ts=asked.ts)


async def send_again_in_vain(world: World) -> None:
    """Send the survey that was asked about last again, which X refuses."""
    await send_again(world, Fault.NOT_OPEN_TO_MESSAGES)
    await world.wait_for_message("was not sent again. The first one may have arrived.")
    await world.wait_until(world.is_outbox_empty)


async def test_a_link_that_arrived_is_answered_though_x_refused_to_send_it_again(linked: World) -> None:
    link = await send_unconfirmed(linked)
    await send_again_in_vain(linked)
    await answer_on_page(link, 4, "Fast.")
    await linked.wait_for_message("They answered.")
    await linked.wait_until(linked.is_outbox_empty)

    c = tables.surveys.c
    assert linked.rows(c.state, c.rating, c.comment) == [("answered", 4, "Fast."), ("refused", None, None)]
    assert linked.rows(tables.attempts.c.outcome) == [("sent",), ("refused",)]
    assert len(linked.x.messages.sent) == 1
    assert linked.count_messages("sent a survey to @mira_k on X.") == 1
    await linked.wait_for_dm("The survey to @mira_k was sent.")
    assert linked.find_dm("may not have arrived") is None


async def test_an_answer_while_the_refusal_of_a_repetition_is_posted_has_the_last_word(linked: World) -> None:
    link = await send_unconfirmed(linked)
    await linked.wait_until(is_app_idle)
    with linked.workspace.faults.hold("chat.postEphemeral", times=1) as hold:
        await send_again(linked, Fault.NOT_OPEN_TO_MESSAGES)
        await hold.arrived.wait()
        await answer_on_page(link, 4, "Fast.")
        await linked.wait_for_dm("The survey to @mira_k was sent.")
    await linked.wait_until(linked.is_outbox_empty)
    await linked.wait_until(is_app_idle)

    assert linked.find_dm("The survey to @mira_k was sent.")
    assert not linked.find_dm("was not sent again")


async def test_an_answer_after_a_refused_repetition_counts_as_one_survey(tmp_path: Path) -> None:
    async with linking(tmp_path, **SUPERVISED) as world:
        link = await send_unconfirmed(world)
        await send_again_in_vain(world)
        await answer_on_page(link, 4, "Fast.")
        await world.wait_for_message("They answered.")
        await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat report 7d")
        report = visible_text(await world.wait_for_message("still open", viewer=fixtures.CLEO))

        assert "1 sent · 1 answer · 1 comment (100% of answers)" in report


async def test_a_link_that_arrived_is_answered_though_its_repetition_was_cancelled(linked: World) -> None:
    link = await send_unconfirmed(linked)
    await send_again(linked, Fault.OVER_CAPACITY)
    await linked.wait_until(lambda: ("accepted",) in linked.rows(tables.attempts.c.outcome))
    waiting = await linked.wait_for_waiting_message()
    await linked.workspace.click(fixtures.ADA, CANCEL_ACTION, channel=waiting.channel, ts=waiting.ts)
    await linked.wait_until(lambda: "cancelled" in linked.states())
    await answer_on_page(link, 4, "Fast.")
    await linked.wait_for_message("They answered.")

    assert linked.states() == ["answered", "cancelled"]


async def test_both_links_of_a_survey_that_was_refused_the_third_time_take_one_answer(linked: World) -> None:
    first = await send_unconfirmed(linked)
    await send_again(linked, Fault.GATEWAY_TIMEOUT_AFTER)
    await linked.wait_until(lambda: linked.states() == ["refused", "uncertain"])
    second = newest_link(linked)
    await send_again_in_vain(linked)
    await answer_on_page(first, 2, "")
    await answer_on_page(second, 4, "Fast.")

    assert [rating for (rating,) in linked.rows(tables.surveys.c.rating) if rating] == [4]
    assert sorted(linked.states()) == ["answered", "refused", "refused"]
    assert first != second


async def test_a_repetition_that_was_sent_takes_the_answer_to_the_first_link(linked: World) -> None:
    link = await send_unconfirmed(linked)
    linked.x.recover()
    asked = await linked.wait_for_dm("may not have arrived")
    await linked.workspace.click(fixtures.ADA, SEND_AGAIN_ACTION, channel=asked.channel, ts=asked.ts)
    await linked.wait_for_message("sent a survey to @mira_k on X.")
    await answer_on_page(link, 4, "Fast.")
    await linked.wait_for_message("They answered.")

    assert linked.states() == ["refused", "answered"]

"""Instances of several X accounts on one database: each works for the surveys of its own account only."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from blocks.survey_notifications import CANCEL_ACTION
from blocks.wait_reasons import OTHER_ACCOUNT
from csat.db import tables
from sandbox.slack import Message, fixtures
from sandbox.x import Endpoint, Fault
from tests.databases import SLOW_KINDS, Databases
from tests.timeouts import GENEROUS
from tests.world import (
    HASTY,
    World,
    idle_world,
    is_app_idle,
    other_brand,
    running_app,
    visible_text,
)

MIRA = "/csat @mira_k"


@pytest.fixture(name="brand", params=SLOW_KINDS)
async def _brand(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """A brand whose app is not running yet, on each kind of database."""
    folder = tmp_path_factory.mktemp("brand")
    async with idle_world(folder, database_url=databases.make(request.param, folder)) as brand:
        yield brand


@pytest.fixture(name="other")
async def _other(brand: World) -> AsyncIterator[World]:
    """The same workspace and database with the keys of another brand's X account."""
    async with other_brand(brand) as other:
        yield other


async def run_for_a_while(other: World, customer: str = "sofie_l", **delta: float) -> None:
    """Run an app, with a survey of its own, until it has taken up what is due after some time."""
    async with running_app(other, HASTY):
        await other.send_survey(f"/csat @{customer}")
        await other.advance(**delta)
        await poll_queue_once(other)


async def poll_queue_once(world: World) -> None:
    """Wait until the send queue was polled, whose last step erases each `response_url` of some time ago."""
    await world.wait_until(lambda: set(world.rows(tables.surveys.c.response_url)) == {("",)})
    await world.wait_until(is_app_idle)


async def submit_and_wait(brand: World, fault: Fault, outcome: str) -> None:
    """Submit a survey that X does not take, and stop the app before it tells the requester that it waits."""
    brand.x.fail(fault)  # until the app has stopped, which retries within seconds
    async with running_app(brand):
        await brand.submit_survey(MIRA)
        await brand.wait_until(lambda: (outcome,) in brand.rows(tables.attempts.c.outcome))
        await brand.wait_until(is_app_idle)
    brand.x.recover()


async def send_uncertain(brand: World, fault: Fault = Fault.BAD_GATEWAY_AFTER) -> Message:
    """Send a survey with an uncertain outcome, and return the requester's message."""
    brand.x.fail(fault, times=1)
    async with running_app(brand):
        await brand.submit_survey(MIRA)
        return await brand.wait_for_dm("may not have arrived")


async def stop_while_sending(brand: World) -> None:
    """Submit a survey, and kill the app before X's response arrives."""
    killed = replace(brand, settings=brand.settings.with_timeouts(replace(GENEROUS, shutdown=0)))
    with brand.x.hold() as hold:
        async with running_app(killed):
            await brand.submit_survey(MIRA)
            await hold.arrived.wait()


async def click(world: World, action_id: str, message: Message) -> None:
    await world.workspace.click(fixtures.ADA, action_id, channel=message.channel, ts=message.ts)


def states_of(world: World) -> list[str]:
    """Return the states of the surveys of an account."""
    is_own = tables.surveys.c.account == world.x.account.id
    return [state for (state,) in world.rows(tables.surveys.c.state, where=is_own)]


def recipients(world: World) -> list[str]:
    """Return the handles of those who were sent a survey by an account."""
    ids = {customer.id: customer.handle for customer in world.x.customers}
    return [ids[feedback.to_user_id] for feedback in world.x.feedbacks]


async def test_a_waiting_survey_leaves_from_its_own_account_only(brand: World, other: World) -> None:
    await submit_and_wait(brand, Fault.OVER_CAPACITY, "accepted")
    await run_for_a_while(other, hours=30)
    assert (states_of(brand), recipients(other)) == (["accepted"], ["sofie_l"])

    async with running_app(brand):
        await brand.wait_for_message("sent a survey to @mira_k")
    assert recipients(brand) == ["mira_k"]


async def test_who_was_told_of_refused_keys_is_told_once_more_when_they_were_swapped(
    brand: World, other: World
) -> None:
    brand.notify_after.set()
    brand.x.fail(Fault.WRONG_KEYS)
    async with running_app(brand):
        await brand.submit_survey(MIRA)
        told = await brand.wait_for_waiting_message()
    assert "waits for up to a day" in visible_text(told)
    async with running_app(other, HASTY):
        await other.advance(hours=30)
        await other.wait_until(lambda: OTHER_ACCOUNT in visible_text(told))
        told_anew = await other.wait_for_dm(OTHER_ACCOUNT)
        await other.advance(hours=1)
        await poll_queue_once(other)
        assert (told_anew.ts > told.ts, other.find_dm(OTHER_ACCOUNT)) == (True, told_anew)
        await click(other, CANCEL_ACTION, told)
        await other.wait_until(lambda: "Canceled" in visible_text(told))

    assert "up to a day" not in visible_text(told)
    assert states_of(brand) == ["cancelled"]


async def test_a_form_that_is_submitted_again_after_the_keys_were_swapped_is_not_sent_by_the_other_account(
    brand: World, other: World
) -> None:
    await submit_and_wait(brand, Fault.OVER_CAPACITY, "accepted")
    submission = next(d for d in brand.workspace.deliveries if d.payload.get("type") == "view_submission")
    async with running_app(other):
        await other.workspace.redeliver(submission)
        await other.send_survey("/csat @sofie_l")
        await other.wait_until(is_app_idle)

    assert (states_of(brand), recipients(other)) == (["accepted"], ["sofie_l"])


async def test_a_paused_account_is_neither_probed_nor_resumed_nor_given_up_with_the_keys_of_another(
    brand: World, other: World
) -> None:
    await submit_and_wait(brand, Fault.TOKEN_REVOKED, "accepted")
    await run_for_a_while(other, hours=30)
    paused = brand.rows(tables.accounts.c.paused_at, where=tables.accounts.c.id == brand.x.account.id)
    assert paused != [(None,)]
    assert [call.path for call in other.x.requests].count("/2/users/me") == 1  # at the start
    assert states_of(brand) == ["accepted"]

    async with running_app(brand):
        await brand.wait_for_message("sent a survey to @mira_k")
    assert (recipients(brand), recipients(other)) == (["mira_k"], ["sofie_l"])


async def test_surveys_of_a_paused_account_are_given_up_once_its_own_keys_are_still_refused(
    brand: World, other: World
) -> None:
    await submit_and_wait(brand, Fault.TOKEN_REVOKED, "accepted")
    await run_for_a_while(other, hours=30)
    brand.x.fail(Fault.TOKEN_REVOKED, Endpoint.ME)
    async with running_app(brand):
        message = await brand.wait_for_dm("was not sent")

    assert "it rejects this app's keys" in visible_text(message)


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY_AFTER, Fault.BAD_GATEWAY])
async def test_an_uncertain_survey_is_settled_by_the_events_of_its_own_account_only(
    brand: World, other: World, fault: Fault
) -> None:
    await send_uncertain(brand, fault)
    await run_for_a_while(other, hours=25)
    assert states_of(brand) == ["uncertain"]
    assert brand.find_dm("was not sent") is None

    async with running_app(brand):
        if fault is Fault.BAD_GATEWAY_AFTER:
            await brand.wait_for_message("sent a survey to @mira_k")
        else:
            await brand.wait_for_dm("X has no record of this survey")


async def test_a_survey_in_flight_is_settled_by_its_own_account_only(brand: World, other: World) -> None:
    await stop_while_sending(brand)
    await run_for_a_while(other, minutes=40)
    await run_for_a_while(other, "benitez_leo", hours=25)
    assert states_of(brand) == ["uncertain"]

    async with running_app(brand):
        await brand.wait_until(lambda: states_of(brand) == ["sent"])


async def test_answers_are_fetched_with_the_keys_of_the_account_that_asked(
    brand: World, other: World
) -> None:
    async with running_app(brand):
        sent = await brand.send_survey(MIRA)
    brand.x.rate(sent.id, 4)
    await run_for_a_while(other, hours=30)
    assert states_of(brand) == ["sent"]
    assert [call.path for call in other.x.requests if sent.id in call.path] == []

    async with running_app(brand, HASTY):
        await brand.wait_until(lambda: states_of(brand) == ["answered"])


async def test_each_account_has_a_cooldown_of_its_own(brand: World, other: World) -> None:
    async with running_app(brand):
        await brand.send_survey(MIRA)
    async with running_app(other):
        await other.send_survey(MIRA)

    assert recipients(brand) == recipients(other) == ["mira_k"]


async def test_send_again_sends_nothing_from_another_account_and_says_so(brand: World, other: World) -> None:
    question = await send_uncertain(brand)
    async with running_app(other):
        await click(other, "send_survey_again", question)
        await other.wait_for_dm(f"Nothing was sent. {OTHER_ACCOUNT}")
    assert (states_of(brand), recipients(other)) == (["uncertain"], [])

    async with running_app(brand):
        await brand.advance(hours=24)
        await click(brand, "send_survey_again", question)
        await brand.wait_for_message("sent a survey to @mira_k")
    assert recipients(brand) == ["mira_k", "mira_k"]


async def test_a_survey_of_another_account_can_be_confirmed_by_its_requester(
    brand: World, other: World
) -> None:
    question = await send_uncertain(brand)
    async with running_app(other):
        await click(other, "survey_arrived", question)
        await other.wait_for_message("sent a survey to @mira_k")

    assert (states_of(brand), other.x.feedbacks) == (["sent"], [])


async def test_a_survey_of_another_account_that_is_left_is_not_promised_for_tomorrow(
    brand: World, other: World
) -> None:
    question = await send_uncertain(brand)
    async with running_app(other):
        await click(other, "leave_survey", question)
        reply = await other.wait_for_dm("Left as it is.")

    assert "tomorrow" not in visible_text(reply)
    assert OTHER_ACCOUNT in visible_text(reply)


async def test_an_uncertain_survey_of_another_account_is_not_promised_to_be_settled_tomorrow(
    brand: World, other: World
) -> None:
    await stop_while_sending(brand)
    async with running_app(other):
        await other.advance(minutes=1)
        question = await other.wait_for_dm("may not have arrived")

    assert "tomorrow" not in visible_text(question)
    assert OTHER_ACCOUNT in visible_text(question)


async def test_a_requester_is_told_that_their_survey_waits_for_another_account(
    brand: World, other: World
) -> None:
    await submit_and_wait(brand, Fault.OVER_CAPACITY, "accepted")
    async with running_app(other):
        await other.advance(minutes=20)
        message = await other.wait_for_dm("Queued")
        home = visible_text(await other.open_home())

        assert "belongs to an X account that this app isn't using now" in visible_text(message)
        assert f"queued · {OTHER_ACCOUNT}" in home
        assert other.count_messages("Queued", message.channel) == 1
        await click(other, "cancel_survey", message)
        await other.wait_for_dm("Canceled: the survey to")
    assert states_of(brand) == ["cancelled"]


async def test_the_log_tells_operators_that_surveys_wait_for_another_account(
    brand: World, other: World, caplog: pytest.LogCaptureFixture
) -> None:
    await submit_and_wait(brand, Fault.OVER_CAPACITY, "accepted")
    async with running_app(other):
        expected = f"Surveys that wait for the X account {brand.x.account.id}: 1."
        await other.wait_until(lambda: expected in caplog.text)

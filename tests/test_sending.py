"""Sending surveys to X: every outcome, and the message that the requester sees."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from csat.db import attempt_outcomes, send_queue, tables
from csat.delivery.send_worker import SendWorker
from sandbox.request_hold import Hold
from sandbox.slack import ActionOutcome, Message, fixtures
from sandbox.x import Fault, FeedbackType
from sandbox.x.feedback_create_params import CreateParams
from sandbox.x.rate_limits import Endpoint
from tests.app_process import fake_environment, run_command
from tests.timeouts import GENEROUS, WITHOUT_LOOK_UP
from tests.world import PRIVACY, World, is_app_idle, running_world, visible_text

REFUSED = {
    Fault.PARAMETER_MISSING: "part of the survey is missing",
    Fault.RECIPIENT_SUSPENDED: "X has suspended this customer's account",
    Fault.PAGE_MISSING: "There is no such customer on X",
    Fault.RECIPIENT_NOT_FOUND: "There is no such customer on X",
    Fault.RECIPIENT_MISSING: "There is no such customer on X",
    Fault.NOT_FOLLOWING_326: "because they don't follow your brand",
    Fault.NOT_FOLLOWING: "This customer can't be messaged",
    Fault.MESSAGE_ERROR: "This customer can't be messaged for now. Ask them",
    Fault.DMS_CLOSED: "This customer can't be messaged",
    Fault.UNPRINTABLE: "You cannot send messages to this user \ufffd.",
    Fault.BLOCKED: "This customer can't be messaged",
    Fault.LOOKS_AUTOMATED: "looks automated",
    Fault.MESSAGE_TOO_LONG: "the message is too long",
}
PAUSES = {
    Fault.WRONG_KEYS: "it rejects this app's keys",
    Fault.TOKEN_REVOKED: "it rejects this app's keys",
    Fault.TOKEN_REFUSED: "it rejects this app's keys",
    Fault.CLOCK_SKEW: "the clock of this app's server is wrong",
    Fault.APP_SUSPENDED: "it has suspended this app",
    Fault.NOT_PERMITTED: "it doesn't allow this app to send them",
    Fault.NO_DM_PERMISSION: "it doesn't allow this app to send them",
    Fault.NO_ACCESS: "it doesn't allow this app to send them",
    Fault.READ_ONLY: "it doesn't allow this app to send them",
    Fault.WRONG_PLAN: "it doesn't allow this app to send them",
    Fault.NO_CREDENTIALS: "it gets this app's requests unsigned",
    Fault.SENDER_SUSPENDED: "it has suspended your brand's account",
    Fault.SENDER_LOCKED: "it has locked your brand's account",
    Fault.NO_CREDIT: "this app has no API credit left",
}
"""Faults of the account or of the whole app."""
RETRIED = {Fault.RATE_LIMITED, Fault.DAILY_LIMIT, Fault.ENHANCE_YOUR_CALM, Fault.OVER_CAPACITY}
UNCERTAIN = {
    Fault.INTERNAL_ERROR,
    Fault.BAD_GATEWAY,
    Fault.GATEWAY_TIMEOUT,
    Fault.INTERNAL_ERROR_AFTER,
    Fault.BAD_GATEWAY_AFTER,
    Fault.GATEWAY_TIMEOUT_AFTER,
    Fault.HANG,
    Fault.HANG_AFTER,
    Fault.RESET,
    Fault.RESET_AFTER,
    Fault.EMPTY_BODY,
    Fault.HTML,
    Fault.TRUNCATED,
    Fault.LIST,
    Fault.NUMBER,
    Fault.OVERSIZED,
    Fault.IDS_MISSING,
}
HANGING = {Fault.HANG, Fault.HANG_AFTER}


@pytest.fixture(name="world")
def _world(any_world: World) -> World:
    return any_world


async def send_survey(world: World, **fields: Any) -> None:
    result = await world.submit_survey(**fields)
    assert result.outcome is ActionOutcome.CLOSED


def count_create_requests(world: World) -> int:
    """Count the requests to create feedback."""
    return [call.path for call in world.x.requests].count("/1.1/feedback/create.json")


async def wait_for_poll(world: World) -> None:
    """Wait for a complete poll, half an hour after sending; its last step erases the response_url."""
    await world.wait_until(lambda: set(world.rows(tables.surveys.c.response_url)) == {("",)})


def test_every_fault_is_tested() -> None:
    possible = {fault for fault in Fault if Endpoint.CREATE in fault.value.endpoints}

    assert set(REFUSED) | set(PAUSES) | RETRIED | UNCERTAIN | {Fault.SLOW} == possible


@pytest.mark.parametrize("fault", REFUSED, ids=lambda fault: fault.name)
async def test_a_refused_survey_shows_its_cause_to_the_requester_only(world: World, fault: Fault) -> None:
    world.x.fail(fault)
    await send_survey(world)
    message = await world.wait_for_message("was not sent")

    assert message.visible_to == fixtures.ADA
    assert REFUSED[fault] in visible_text(message)
    assert "Edit and try again" in visible_text(message)
    assert world.find_message("was not sent", viewer=fixtures.BEN) is None
    assert count_create_requests(world) == 1


@pytest.mark.parametrize("fault", PAUSES, ids=lambda fault: fault.name)
async def test_an_account_error_delays_the_survey_and_shows_the_cause(world: World, fault: Fault) -> None:
    world.x.fail(fault)
    await send_survey(world)
    message = await world.wait_for_waiting_message()

    assert f"X isn't accepting surveys ({PAUSES[fault]}" in visible_text(message)
    assert (
        "An admin of this app has to fix this. The survey waits for up to a day: "
        "once this is fixed, we'll send it and tell you how it went."
    ) in visible_text(message)
    assert "automatically" not in visible_text(message)
    assert "again" not in visible_text(message)
    assert "Cancel" in visible_text(message)


async def test_operators_are_alerted_once_when_the_account_is_paused_and_sending_resumes(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, csat_operators=f"{fixtures.CLEO},{fixtures.BEN}") as world:
        world.x.fail(Fault.TOKEN_REVOKED)
        await send_survey(world)
        alert = await world.wait_for_dm(
            "X isn't accepting surveys: it rejects this app's keys.", fixtures.CLEO
        )
        await world.wait_for_dm("X isn't accepting surveys", fixtures.BEN)
        assert "make a new access token" in visible_text(alert)
        assert "Ask an admin" not in visible_text(alert)

        await world.submit_survey("/csat @sofie_l", fixtures.BEN)
        await world.wait_for_waiting_message(viewer=fixtures.BEN)
        assert count_create_requests(world) == 1

        world.x.recover()
        await world.advance(minutes=6)
        await world.wait_for_feedback(2)
        await world.wait_until(lambda: world.rows(tables.accounts.c.paused_at) == [(None,)])
        assert len(world.app_messages(alert.channel, fixtures.CLEO)) == 1


async def test_an_operator_can_resume_a_repaired_account_at_once(world: World, tmp_path: Path) -> None:
    world.x.fail(Fault.WRONG_KEYS)
    await send_survey(world)
    await world.wait_for_waiting_message()
    world.x.recover()
    async with fake_environment(tmp_path) as (_, _, environment):
        environment["DATABASE_URL"] = world.database_url
        resumed = await run_command(tmp_path, environment, "resume")
        await world.wait_for_message("sent a survey")
        again = await run_command(tmp_path, environment, "resume")

    assert resumed[0] == 0
    assert resumed[1].startswith("The app asks X within seconds, or when it starts.")
    assert again == (0, "Nothing to resume: the account isn't paused.\n")


async def test_a_repeated_account_error_does_not_alert_the_operators_again_that_day(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_world(tmp_path, csat_operators=fixtures.CLEO) as world:
        world.x.fail(Fault.WRONG_PLAN)
        await send_survey(world)
        alert = await world.wait_for_dm("X isn't accepting surveys", fixtures.CLEO)
        await world.advance(minutes=6)
        await world.wait_until(lambda: count_create_requests(world) == 2)
        await world.wait_until(lambda: world.rows(tables.accounts.c.paused_at) != [(None,)])
        await world.wait_until(lambda: world.rows(tables.accounts.c.alert_due_at) == [(None,)])
        await world.wait_until(lambda: not world.rows(tables.operator_alerts))

        assert world.count_messages("X isn't accepting surveys", alert.channel, fixtures.CLEO) == 1
        assert caplog.text.count("is paused") == 1


async def test_a_survey_is_refused_with_the_cause_after_its_account_is_paused_for_a_day(
    world: World,
) -> None:
    world.x.fail(Fault.APP_SUSPENDED)
    await send_survey(world)
    await world.wait_for_waiting_message()
    await world.advance(hours=25)
    message = await world.wait_for_dm("was not sent")

    assert "it has suspended this app" in visible_text(message)


async def test_edit_and_try_again_opens_the_form_with_the_previous_input(world: World) -> None:
    world.x.fail(Fault.LOOKS_AUTOMATED)
    await world.open_form("/csat nps @mira_k")
    await world.workspace.select(fixtures.ADA, "variant", "3")
    await world.fill_in(message="Was it good?", external_id="case_9", display_name="Air")
    await world.show_options()
    await world.workspace.select(fixtures.ADA, "test", ["test"])
    await world.workspace.submit_view(fixtures.ADA)
    message = await world.wait_for_message("was not sent")
    await world.workspace.click(fixtures.ADA, "edit_survey", channel=fixtures.SUPPORT, ts=message.ts)
    form = await world.wait_for_form()

    for typed in ("Was it good?", "case_9", "Air", "@mira_k", "'initial_options'"):
        assert typed in str(form.blocks)

    world.x.recover()
    await world.fill_in(message="How was it, Mira?")
    await world.workspace.submit_view(fixtures.ADA)
    feedback = await world.wait_for_feedback()
    assert (feedback.message, feedback.external_id, feedback.test) == ("How was it, Mira?", "case_9", True)
    assert (feedback.type, feedback.question_variant_id, feedback.display_name) == ("nps", "3", "Air")
    await world.wait_for_message("sent a survey")


async def test_a_refusal_gives_way_once_its_survey_was_edited_and_sent(world: World) -> None:
    world.x.fail(Fault.LOOKS_AUTOMATED, times=1)
    await send_survey(world)
    refused = await world.wait_for_message("was not sent")
    await world.workspace.click(fixtures.ADA, "edit_survey", channel=fixtures.SUPPORT, ts=refused.ts)
    await world.wait_for_form()
    await world.workspace.submit_view(fixtures.ADA)
    edited = await world.wait_for_message("Edited: a new survey to @mira_k takes its place.")
    await world.wait_for_message("sent a survey")

    assert edited.ts == refused.ts
    assert "Edit and try again" not in visible_text(edited)


async def test_only_the_requester_can_edit_a_refused_survey(world: World) -> None:
    world.x.fail(Fault.LOOKS_AUTOMATED)
    await send_survey(world)
    message = await world.wait_for_message("was not sent")
    await world.workspace.click(fixtures.ADA, "edit_survey", channel=fixtures.SUPPORT, ts=message.ts)
    await world.wait_for_form()
    await world.workspace.close_view(fixtures.ADA)
    await world.forge(user={"id": fixtures.BEN, "team_id": fixtures.TEAM})

    assert "Only the person who asked" in visible_text(
        await world.wait_for_message("Only the person", viewer=fixtures.BEN)
    )
    assert world.workspace.current_view(fixtures.BEN) is None


async def test_a_second_survey_on_the_same_day_is_refused_with_the_message_of_x(world: World) -> None:
    mira = world.x.customer("mira_k").id
    world.x.create(
        CreateParams(FeedbackType.CSAT, mira, "How did we do?", PRIVACY, None, "0", "Northwind", test=False)
    )
    await send_survey(world)
    message = await world.wait_for_message("was not sent")

    assert "already sent a feedback request" in visible_text(message)
    assert len(world.x.feedbacks) == 1


@pytest.mark.parametrize("fault", sorted(RETRIED, key=str), ids=lambda fault: fault.name)
async def test_a_survey_is_retried_while_x_is_busy(world: World, fault: Fault) -> None:
    world.x.fail(fault, times=1)
    await send_survey(world)
    await world.wait_for_waiting_message()

    await world.advance(minutes=20)
    await world.wait_for_feedback()
    await world.wait_for_message("sent a survey")
    assert count_create_requests(world) == 2


async def test_a_rate_limited_survey_is_not_retried_before_the_reset(world: World) -> None:
    world.x.limit_reset_seconds = 3600
    world.x.fail(Fault.RATE_LIMITED, times=1)
    await send_survey(world)
    message = await world.wait_for_waiting_message()
    assert "X's rate limit is used up. We'll send it automatically after" in visible_text(message)
    assert find_dates(message)[-1] == pytest.approx(world.clock().timestamp() + 3600, abs=60)
    await world.advance(minutes=50)
    await wait_for_poll(world)
    assert world.states() == ["accepted"]
    assert count_create_requests(world) == 1

    await world.advance(minutes=11)
    await world.wait_for_feedback()


async def test_a_survey_over_the_limit_of_24_hours_says_why_and_until_when(world: World) -> None:
    world.x.limit_reset_seconds = 7200
    world.x.fail(Fault.DAILY_LIMIT, times=1)
    await send_survey(world)
    message = await world.wait_for_waiting_message()

    assert "X's limit for 24 hours is used up. We'll send it automatically after" in visible_text(message)
    assert find_dates(message)[-1] == pytest.approx(world.clock().timestamp() + 7200, abs=60)


def find_dates(message: Message) -> list[int]:
    """Return the moments that a message shows, in seconds since 1970."""
    sections = (section for block in message.blocks for section in block.get("elements", ()))
    elements = (element for section in sections for element in section.get("elements", ()))
    return [element["timestamp"] for element in elements if element["type"] == "date"]


async def test_a_survey_is_refused_after_a_day_of_retries(world: World) -> None:
    world.x.limit_reset_seconds = int(timedelta(hours=25).total_seconds())
    world.x.fail(Fault.DAILY_LIMIT)
    await send_survey(world)
    waiting = visible_text(await world.wait_for_waiting_message())
    assert "X's limit for 24 hours is used up. We'll send it automatically after" in waiting
    await world.advance(hours=23)
    assert world.find_dm("was not sent") is None

    await world.advance(hours=2)
    message = await world.wait_for_dm("was not sent")
    assert "X's limit for 24 hours was used up for a day" in visible_text(message)
    assert count_create_requests(world) == 2


async def test_a_waiting_survey_can_be_cancelled_by_its_requester(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await send_survey(world)
    message = await world.wait_for_waiting_message()
    await world.workspace.click(fixtures.ADA, "cancel_survey", channel=message.channel, ts=message.ts)
    await world.wait_for_dm("Canceled: the survey to")

    await world.advance(hours=1)
    assert world.find_dm("Queued") is None
    assert world.x.feedbacks == []


async def test_the_conversation_points_to_the_message_about_a_survey_that_waits_once(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await send_survey(world)
    await world.wait_for_waiting_message()
    pointer = await world.wait_for_message("Queued: the survey to @mira_k. This app's Messages say")
    world.x.fail(Fault.GATEWAY_TIMEOUT, times=1)
    await world.advance(minutes=2)
    await world.wait_for_dm("may not have arrived")
    await world.wait_until(is_app_idle)

    assert pointer.visible_to == fixtures.ADA
    assert len(world.app_messages()) == 1


async def test_the_conversation_points_to_the_question_about_an_uncertain_survey(world: World) -> None:
    question = await send_uncertain(world, Fault.GATEWAY_TIMEOUT)
    pointer = await world.wait_for_message("X didn't confirm the survey to @mira_k at once. See this app's")
    world.x.fail(Fault.GATEWAY_TIMEOUT, times=1)
    await click(world, "send_survey_again", question)
    await world.wait_until(lambda: world.count_messages("may not have arrived", question.channel) == 2)
    await world.wait_until(is_app_idle)

    assert pointer.visible_to == fixtures.ADA
    assert len(world.app_messages()) == 1


async def test_nothing_points_to_the_message_in_the_conversation_where_it_is(world: World) -> None:
    messages = (await send_uncertain(world, Fault.GATEWAY_TIMEOUT)).channel
    world.x.fail(Fault.GATEWAY_TIMEOUT, times=1)
    await world.submit_survey("/csat @sofie_l", channel=messages)
    await world.wait_until(lambda: world.count_messages("may not have arrived", messages) == 2)
    await world.wait_until(is_app_idle)

    assert len(world.app_messages(messages)) == 2


async def test_a_new_message_is_posted_if_the_waiting_message_can_not_be_replaced(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await send_survey(world)
    message = await world.wait_for_waiting_message()
    world.workspace.faults.fail("response_url", "404")
    await world.workspace.click(fixtures.ADA, "cancel_survey", channel=message.channel, ts=message.ts)

    await world.wait_for_dm("Canceled: the survey to")


async def test_only_the_requester_can_cancel_a_waiting_survey(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY)
    await send_survey(world)
    first = await world.wait_for_waiting_message()
    await world.submit_survey("/csat @sofie_l")
    await world.wait_until(lambda: world.count_messages("Queued", first.channel) == 2)
    await world.workspace.click(fixtures.ADA, "cancel_survey", channel=first.channel, ts=first.ts)
    await world.wait_for_dm("Canceled")
    action = {**world.workspace.deliveries[-1].payload["actions"][0], "value": "2"}
    await world.forge(user={"id": fixtures.BEN, "team_id": fixtures.TEAM}, actions=[action])
    await world.wait_for_dm("Only the person who asked for this survey can cancel it")

    world.x.recover()
    await world.advance(minutes=20)
    await world.wait_for_feedback()


async def test_nobody_is_offered_to_cancel_a_survey_whose_request_is_in_flight(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    with world.x.hold(after=False) as hold:
        await send_survey(world)
        await hold.arrived.wait()
        world.notify_after.set()
        assert world.states() == ["sending"]
        assert world.find_dm("Queued") is None

    await world.wait_for_dm("Queued")


async def test_a_survey_can_not_be_cancelled_while_it_is_being_sent(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await send_survey(world)
    message = await world.wait_for_waiting_message()
    with world.x.hold() as hold:
        await world.advance(minutes=20)
        await hold.arrived.wait()
        await world.workspace.click(fixtures.ADA, "cancel_survey", channel=message.channel, ts=message.ts)
        await world.wait_for_dm("Too late to cancel")

    await world.wait_for_feedback()
    await world.wait_for_message("sent a survey")


async def test_a_survey_whose_request_fails_again_can_be_cancelled_after_it(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY)
    await send_survey(world)
    message = await world.wait_for_waiting_message()
    with world.x.hold(after=False) as hold:
        world.clock.advance(minutes=20)
        await hold.arrived.wait()
        await click(world, "cancel_survey", message)
        await world.wait_for_dm("Too late to cancel")
    await world.wait_until(lambda: world.states() == ["accepted"])
    await click(world, "cancel_survey", message)
    await world.wait_for_dm("Canceled: the survey to")

    assert world.states() == ["cancelled"]


async def test_the_button_to_cancel_a_survey_goes_once_it_is_sent(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await send_survey(world)
    message = await world.wait_for_waiting_message()
    await world.advance(minutes=20)
    settled = await world.wait_for_dm("The survey to @mira_k was sent.")

    assert settled.ts == message.ts
    assert "Cancel" not in visible_text(settled)


async def test_the_button_to_cancel_a_survey_goes_once_it_is_refused(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await send_survey(world)
    message = await world.wait_for_waiting_message()
    world.x.fail(Fault.DMS_CLOSED)
    await world.advance(minutes=20)
    await world.wait_until(lambda: not has_button(world, message, "Cancel"))

    assert world.count_messages("The survey to @mira_k was not sent.", message.channel) == 2


async def test_the_log_tells_a_survey_that_waits_from_one_that_was_refused(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await send_survey(world)
    await world.wait_for_waiting_message()
    world.x.fail(Fault.DMS_CLOSED)
    await world.advance(minutes=20)
    await world.wait_until(lambda: world.states() == ["refused"])

    verdicts = re.findall(r"Survey 1 was (.*?): ", caplog.text)
    assert verdicts == ["not sent yet", "not sent"]


async def test_the_buttons_of_an_uncertain_survey_go_once_x_confirms_it(world: World) -> None:
    message = await send_uncertain(world, Fault.BAD_GATEWAY_AFTER)
    assert has_button(world, message, "It arrived")
    await world.advance(hours=24, minutes=11)
    settled = await world.wait_for_dm("The survey to @mira_k was sent.")

    assert settled.ts == message.ts
    for button in ("It arrived", "Send again", "Leave it"):
        assert not has_button(world, message, button)


def has_button(world: World, message: Message, label: str) -> bool:
    """True if a message to Ada has a button with this label now."""
    now = next(shown for shown in world.app_messages(message.channel, fixtures.ADA) if shown.ts == message.ts)
    return label in visible_text([block for block in now.blocks if block["type"] == "actions"])


@pytest.mark.parametrize("fault", sorted(UNCERTAIN - HANGING, key=str), ids=lambda fault: fault.name)
async def test_a_survey_with_an_uncertain_outcome_is_not_retried(world: World, fault: Fault) -> None:
    world.x.fail(fault)
    await send_survey(world)
    await check_uncertain(world)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.INTERNAL_ERROR, "X's answer didn't confirm delivery. We haven't sent it again."),
        (Fault.BAD_GATEWAY_AFTER, "X's answer didn't confirm delivery. We haven't sent it again."),
        (Fault.HTML, "X's answer didn't confirm delivery. We haven't sent it again."),
        (Fault.GATEWAY_TIMEOUT, "We got no confirmation from X, and haven't sent it again."),
        (Fault.RESET, "We got no confirmation from X, and haven't sent it again."),
    ],
)
async def test_an_uncertain_outcome_says_whether_x_answered(world: World, fault: Fault, reason: str) -> None:
    assert reason in visible_text(await send_uncertain(world, fault))


@pytest.mark.slow
@pytest.mark.parametrize("fault", sorted(HANGING, key=str), ids=lambda fault: fault.name)
@pytest.mark.parametrize("timeouts", [replace(GENEROUS, x_call=2)])
async def test_a_timeout_makes_the_outcome_uncertain(world: World, fault: Fault) -> None:
    world.x.fail(fault)
    await world.submit_survey(f"/csat {world.x.customer('mira_k').id}")
    await check_uncertain(world)


async def check_uncertain(world: World) -> None:
    message = await world.wait_for_dm("may not have arrived")

    assert "haven't sent it again" in visible_text(message)
    await world.advance(hours=1)
    await wait_for_poll(world)
    assert world.states() == ["uncertain"]
    assert count_create_requests(world) == 1


def freeze_first_attempt(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: float, meanwhile: Callable[..., object]
) -> None:
    """Freeze the app once between the commit of its first attempt and the call to X."""
    begin = send_queue.begin_attempt

    def begin_and_freeze(connection: Connection, *others: Any) -> int | None:
        number = begin(connection, *others)
        monkeypatch.setattr(send_queue, "begin_attempt", begin)
        world.clock.advance(seconds=seconds)
        meanwhile(connection, world.clock())
        return number

    monkeypatch.setattr(send_queue, "begin_attempt", begin_and_freeze)


async def test_a_frozen_instance_does_not_send_a_survey_that_was_marked_uncertain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze_first_attempt(world, monkeypatch, 41, meanwhile=attempt_outcomes.mark_stalled)
    await send_survey(world)
    await world.wait_until(lambda: world.states() == ["uncertain"])
    await world.advance(minutes=1)
    await world.wait_for_dm("may not have arrived")

    await world.advance(hours=24, minutes=11)
    assert "X has no record of this survey" in visible_text(await world.wait_for_dm("was not sent"))
    assert count_create_requests(world) == 0


async def test_a_survey_of_a_frozen_instance_is_retried_if_it_was_not_marked_uncertain(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    freeze_first_attempt(world, monkeypatch, 21, meanwhile=lambda *_: None)
    await send_survey(world)
    await world.wait_for_message("sent a survey")

    assert "Survey 1 was not sent: this instance was frozen" in caplog.text
    assert count_create_requests(world) == 1
    assert world.rows(tables.attempts.c.number, tables.attempts.c.outcome) == [(1, "accepted"), (2, "sent")]


async def send_uncertain(world: World, fault: Fault) -> Message:
    """Send a survey with an uncertain outcome, and return the requester's message."""
    world.x.fail(fault, times=1)
    await send_survey(world, external_id="case_7")
    return await world.wait_for_dm("may not have arrived")


async def click(world: World, action_id: str, message: Message) -> None:
    await world.workspace.click(fixtures.ADA, action_id, channel=message.channel, ts=message.ts)


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY_AFTER, Fault.BAD_GATEWAY])
async def test_an_uncertain_survey_is_reconciled_with_the_events_of_x_a_day_later(
    world: World, fault: Fault
) -> None:
    await send_uncertain(world, fault)
    await world.advance(hours=24, minutes=11)

    if fault is Fault.BAD_GATEWAY_AFTER:
        await world.wait_for_message("sent a survey")
        assert world.states() == ["sent"]
    else:
        message = await world.wait_for_dm("was not sent")
        assert "X has no record of this survey" in visible_text(message)
        assert world.states() == ["refused"]
    assert count_create_requests(world) == 1


async def test_reconciliation_ends_after_days_without_a_result(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    message = await send_uncertain(world, Fault.BAD_GATEWAY)
    world.x.fail(Fault.WRONG_PLAN, Endpoint.EVENTS)
    await world.advance(hours=24, minutes=11)
    await world.wait_until(lambda: "Survey 1 is still uncertain" in caplog.text)
    await world.advance(days=3)
    await world.wait_until(lambda: world.rows(tables.surveys.c.reconcile_at) == [(None,)])
    await world.wait_until(lambda: "Survey 1 stays uncertain" in caplog.text)
    assert world.states() == ["uncertain"]

    await click(world, "send_survey_again", message)
    await world.wait_for_message("sent a survey")
    assert world.states() == ["refused", "sent"]


async def test_reconciliation_reads_all_pages_of_events(world: World) -> None:
    world.x.adds_empty_pages = True
    await send_uncertain(world, Fault.BAD_GATEWAY_AFTER)
    await world.advance(hours=24, minutes=11)

    await world.wait_for_message("sent a survey")


async def test_the_requester_can_report_that_an_uncertain_survey_arrived(world: World) -> None:
    message = await send_uncertain(world, Fault.BAD_GATEWAY_AFTER)
    await click(world, "survey_arrived", message)
    await world.wait_for_message("sent a survey")
    settled = await world.wait_for_dm("The survey to @mira_k was sent.")

    assert settled.ts == message.ts
    assert world.states() == ["sent"]


async def test_the_requester_can_resend_an_uncertain_survey_once(world: World) -> None:
    message = await send_uncertain(world, Fault.BAD_GATEWAY)
    await click(world, "send_survey_again", message)
    await world.wait_for_feedback()
    await world.wait_for_message("sent a survey")
    world.workspace.deliveries.append(
        next(d for d in world.workspace.deliveries if "send_survey_again" in d.title)
    )
    await world.forge()
    await world.wait_until(is_app_idle)

    assert world.find_dm("already settled") is None
    assert world.states() == ["refused", "sent"]
    assert count_create_requests(world) == 2


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (None, "The survey to @mira_k was sent."),
        (Fault.DMS_CLOSED, "The survey to @mira_k was not sent again."),
        (Fault.BAD_GATEWAY, "The survey to @mira_k may not have arrived."),
    ],
)
async def test_a_survey_that_is_sent_again_shows_its_outcome_where_it_was_asked_for(
    world: World, fault: Fault | None, told: str
) -> None:
    message = await send_uncertain(world, Fault.BAD_GATEWAY)
    if fault:
        world.x.fail(fault, times=1)
    await click(world, "send_survey_again", message)

    def shown() -> str:
        [current] = [found for found in world.app_messages(message.channel) if found.ts == message.ts]
        return visible_text(current)

    await world.wait_until(lambda: world.states()[1:] not in ([], ["accepted"], ["sending"]))
    await world.wait_until(is_app_idle)
    assert shown().startswith(told)
    clicked = next(d for d in world.workspace.deliveries if "send_survey_again" in d.title)
    await world.workspace.redeliver(clicked)
    await world.wait_until(is_app_idle)
    assert shown().startswith(told)


@pytest.mark.parametrize("action_id", ["survey_arrived", "send_survey_again"])
async def test_every_earlier_message_follows_a_survey_that_is_uncertain_twice(
    world: World, action_id: str
) -> None:
    first = await send_uncertain(world, Fault.BAD_GATEWAY)
    world.x.fail(Fault.BAD_GATEWAY, times=1)
    await click(world, "send_survey_again", first)
    await world.wait_until(lambda: world.count_messages("may not have arrived", first.channel) == 2)
    await click(world, action_id, await world.wait_for_dm("haven't sent it again"))
    await world.wait_for_message("sent a survey")
    await world.wait_until(is_app_idle)

    assert world.count_messages("The survey to @mira_k was sent.", first.channel) == 2
    assert len(world.app_messages(first.channel)) == 2


async def test_a_survey_that_is_refused_when_sent_again_may_have_arrived_the_first_time(world: World) -> None:
    message = await send_uncertain(world, Fault.BAD_GATEWAY_AFTER)
    world.x.fail(Fault.DMS_CLOSED, times=1)
    await click(world, "send_survey_again", message)
    told = await world.wait_for_message("was not sent again")

    assert "The first one may have arrived." in visible_text(told)
    assert "was not sent." not in visible_text(told)


async def test_an_arrival_that_is_noted_twice_is_confirmed_once(world: World) -> None:
    message = await send_uncertain(world, Fault.BAD_GATEWAY_AFTER)
    await click(world, "survey_arrived", message)
    await world.wait_for_message("sent a survey")
    again = next(d for d in world.workspace.deliveries if "survey_arrived" in d.title)
    await world.workspace.redeliver(again)
    await world.wait_until(is_app_idle)

    assert len(world.app_messages(message.channel)) == world.count_messages("sent a survey") == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [("survey_arrived", "send_survey_again"), ("send_survey_again", "survey_arrived")],
)
async def test_a_survey_that_is_settled_in_one_way_can_not_be_settled_in_another(
    world: World, first: str, then: str
) -> None:
    message = await send_uncertain(world, Fault.BAD_GATEWAY)
    await click(world, first, message)
    await world.wait_for_message("sent a survey")
    await world.wait_until(is_app_idle)
    states = world.states()
    clicked = next(d for d in world.workspace.deliveries if first in d.title)
    world.workspace.deliveries.append(clicked)
    await world.forge(actions=[{**clicked.payload["actions"][0], "action_id": then}])
    await world.wait_for_dm("already settled")

    assert world.states() == states


async def test_the_requester_can_leave_an_uncertain_survey_to_reconciliation(world: World) -> None:
    message = await send_uncertain(world, Fault.BAD_GATEWAY_AFTER)
    await click(world, "leave_survey", message)
    await world.wait_for_dm("Left as it is.")
    assert world.states() == ["uncertain"]

    await world.advance(hours=24, minutes=11)
    await world.wait_for_message("sent a survey")


async def test_only_the_requester_can_settle_an_uncertain_survey(world: World) -> None:
    message = await send_uncertain(world, Fault.BAD_GATEWAY)
    await click(world, "leave_survey", message)
    await world.wait_for_dm("Left as it is.")
    for action_id in ("survey_arrived", "send_survey_again"):
        action = {**world.workspace.deliveries[-1].payload["actions"][0], "action_id": action_id}
        await world.forge(user={"id": fixtures.BEN, "team_id": fixtures.TEAM}, actions=[action])
    await world.wait_for_dm("already settled, or somebody else")

    assert world.states() == ["uncertain"]


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.RESET_AFTER])
async def test_a_request_whose_connection_breaks_is_not_repeated_with_the_same_signature(
    world: World, fault: Fault
) -> None:
    world.x.fail(fault, Endpoint.LOOKUP, times=1)
    await send_survey(world)
    await world.wait_for_message("sent a survey")

    lookups = [call for call in world.x.requests if call.path == "/2/users/by/username/mira_k"]
    assert [call.status for call in lookups] == [None, 200]


@pytest.mark.parametrize("timeouts", [WITHOUT_LOOK_UP])
async def test_handles_are_not_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await world.submit_survey("/csat @nobody_here")
    await world.wait_for_message("was not sent")

    assert "Survey 1 was not sent" in caplog.text
    assert "nobody_here" not in caplog.text


async def test_a_poll_that_fails_does_not_end_the_worker(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("csat.db.send_queue.claim", lambda *_: 1 / 0)
        await world.wait_until(lambda: "polling the send queue failed" in caplog.text)
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await send_survey(world)
    await world.wait_for_waiting_message()
    await world.advance(minutes=20)

    await world.wait_for_feedback()


async def test_a_survey_that_is_unsent_at_shutdown_is_sent_by_the_next_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped, stop = asyncio.Event(), SendWorker.stop

    def stop_and_set_event(worker: SendWorker) -> None:
        stop(worker)
        stopped.set()

    monkeypatch.setattr(SendWorker, "stop", stop_and_set_event)
    async with running_world(tmp_path, timeouts=WITHOUT_LOOK_UP) as world:
        hold = world.x.hold(Endpoint.LOOKUP)
        await send_survey(world)
        releasing = asyncio.create_task(release_when(stopped, hold))
    await releasing
    assert world.x.feedbacks == []

    async with running_world(tmp_path) as world:
        await world.wait_for_feedback()
        await world.wait_for_message("sent a survey")


async def release_when(event: asyncio.Event, hold: Hold) -> None:
    await event.wait()
    hold.release()


async def test_a_request_has_exactly_the_documented_parameters(world: World) -> None:
    await send_survey(world, external_id="", display_name="")
    await world.wait_for_feedback()
    (create,) = [call for call in world.x.requests if call.path.endswith("create.json")]

    assert set(dict(create.form)) == {
        "type",
        "to_user_id",
        "message",
        "privacy_url",
        "question_variant_id",
        "test",
    }
    assert dict(create.form)["test"] == "false"


@pytest.mark.parametrize("switch", ["dates_without_spaces", "variants_as_integers"])
async def test_every_format_of_a_receipt_is_parsed(world: World, switch: str) -> None:
    setattr(world.x, switch, True)
    await send_survey(world)

    await world.wait_for_message("sent a survey")


async def test_a_404_means_that_the_handle_is_unknown(world: World) -> None:
    world.x.unknown_handles_return_404 = True
    await world.open_form("/csat @nobody_here")
    result = await world.workspace.submit_view(fixtures.ADA)

    assert "There is no such customer on X" in result.errors["recipient:0"]


async def test_special_characters_arrive_unchanged(world: World) -> None:
    message = "Ünïcode + & = % ~ “quotes”\n😀 <b>bold</b> @everyone  a  b"
    await send_survey(world, message=message, external_id="a+b c&d=é")

    feedback = await world.wait_for_feedback()
    assert feedback.message == message
    assert feedback.external_id == "a+b c&d=é"

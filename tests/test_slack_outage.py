"""A Slack that takes no messages for days: what is still true is told once it takes them again."""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from csat.backoff import MAX_WAIT
from csat.db import follow_ups, tables
from csat.db.outbox import NotificationKind
from csat.slack_api.errors import NoResponse, SlackUnavailable
from notifications.retries import MANY_TRIES, find_retry_time
from sandbox.slack import fixtures
from sandbox.x import Endpoint, Fault
from tests.databases import SLOW_KINDS, Databases
from tests.factories import NOON, SUPERVISED
from tests.low_rating_kit import alert_text, answer, trigger_alert
from tests.world import LOW_RATING_ALERT, World, running_world, visible_text

ERRORS = ("token_revoked", "ratelimited")
QUESTION = "may not have arrived"


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with a supervisor, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, database_url=url, **SUPERVISED) as world:
        yield world


def break_slack(world: World, error: str = "token_revoked", method: str = "chat.postMessage") -> None:
    world.workspace.faults.fail(method, error, times=1_000_000)


def was_tried(world: World, kind: NotificationKind, times: int) -> bool:
    return any(tries >= times for tries in world.attempts(kind))


async def pass_days(world: World, kind: NotificationKind, days: int = 3) -> None:
    """Let a notification fail for an hour and a half, and then once more days later."""
    for tries in range(1, 14):
        await world.wait_until(partial(was_tried, world, kind, tries))
        await world.advance(minutes=11)
    await world.wait_until(partial(was_tried, world, kind, 14))
    await world.advance(days=days)
    await world.wait_until(partial(was_tried, world, kind, 15))


async def repair_slack(world: World) -> None:
    world.workspace.faults.clear()
    await world.advance(minutes=11)


async def submit_uncertain(world: World) -> None:
    """Submit a survey whose outcome is unknown while Slack takes no messages."""
    break_slack(world)
    world.x.fail(Fault.BAD_GATEWAY, times=1)
    await world.submit_survey()


@pytest.mark.parametrize("error", ERRORS)
async def test_a_low_rating_is_announced_after_days_with_its_current_follow_up(
    world: World, error: str
) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    feedback = await world.send_survey()
    break_slack(world, error)
    await answer(world, feedback, 1)
    await pass_days(world, NotificationKind.LOW_RATING)
    await world.run_transaction(follow_ups.take, 1, fixtures.TEAM, fixtures.CLEO, world.clock())
    await repair_slack(world)

    alert = await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
    assert f"Assigned to <@{fixtures.CLEO}>" in visible_text(alert)
    assert world.count_messages(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO) == 1


@pytest.mark.parametrize("error", ERRORS)
async def test_an_alert_shows_after_days_that_it_was_closed(world: World, error: str) -> None:
    alert = await trigger_alert(world)
    await world.wait_until(world.is_outbox_empty)
    break_slack(world, error, "chat.update")
    await world.run_transaction(follow_ups.close, 1, fixtures.TEAM, fixtures.CLEO, "Called.", world.clock())
    await world.advance(minutes=2)
    await pass_days(world, NotificationKind.FOLLOW_UP)
    await repair_slack(world)

    await world.wait_until(lambda: f"Closed by <@{fixtures.CLEO}>" in alert_text(world, alert))


async def test_the_requester_of_an_uncertain_survey_is_asked_after_days_without_a_promise_that_is_over(
    world: World,
) -> None:
    await submit_uncertain(world)
    world.x.fail(Fault.WRONG_PLAN, Endpoint.EVENTS)
    await pass_days(world, NotificationKind.UNCERTAIN, days=5)
    await world.wait_until(lambda: world.rows(tables.surveys.c.reconcile_at) == [(None,)])
    await repair_slack(world)

    question = await world.wait_for_dm(QUESTION)
    assert "X's answer didn't confirm delivery." in visible_text(question)
    assert "tomorrow" not in visible_text(question)
    assert "Leave it" not in visible_text(question)
    await world.workspace.click(fixtures.ADA, "survey_arrived", channel=question.channel, ts=question.ts)
    await world.wait_until(lambda: world.states() == ["sent"])


async def test_an_uncertain_survey_that_was_settled_meanwhile_is_not_asked_about(world: World) -> None:
    await submit_uncertain(world)
    await pass_days(world, NotificationKind.UNCERTAIN, days=1)
    await world.wait_until(lambda: world.states() == ["refused"])
    await repair_slack(world)

    await world.wait_for_dm("was not sent")
    await world.wait_until(world.is_outbox_empty)
    assert world.find_dm(QUESTION) is None


async def test_the_log_says_once_that_slack_takes_no_messages(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    break_slack(world)
    await world.submit_survey()
    await pass_days(world, NotificationKind.SENT)
    await world.submit_survey("/csat @sofie_l")
    await world.wait_until(lambda: len(world.attempts("sent")) == 2 and all(world.attempts("sent")))

    lines = [line for line in caplog.messages if "token_revoked" in line or "not posted" in line]
    assert lines == [
        "Slack takes no messages; they are retried until it does: the token was revoked (token_revoked)"
    ]


def test_pauses_end_at_a_maximum_however_often_a_message_was_tried() -> None:
    wait = find_retry_time(SlackUnavailable("ratelimited"), 10**9, NOON)

    assert wait
    assert MAX_WAIT / 2 <= wait - NOON <= MAX_WAIT


def test_a_message_that_may_have_been_posted_is_repeated_hourly_at_last() -> None:
    retry_at = partial(find_retry_time, NoResponse("TimeoutError"), now=NOON)

    assert retry_at(0) == NOON + timedelta(minutes=5)
    assert retry_at(MANY_TRIES) == NOON + timedelta(hours=1)

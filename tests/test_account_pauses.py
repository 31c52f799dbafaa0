"""Pauses of the X account: when operators are alerted, and what the log says."""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from csat.db import account_pauses, tables
from csat.db.account_pauses import MIN_ALERT_INTERVAL
from csat.db.outbox import NotificationKind
from csat.x_api.refusals import InvalidCredentials
from sandbox.slack import fixtures
from sandbox.x import Endpoint, Fault
from tests.app_process import fake_environment, run_command
from tests.databases import SLOW_KINDS, Databases
from tests.factories import LATER, NOON
from tests.local_client import local_client
from tests.world import World, idle_world, running_app, running_world

ALERT = "X isn't accepting surveys"


def is_paused(world: World) -> bool:
    return world.rows(tables.accounts.c.paused_at) != [(None,)]


def was_alert_tried(world: World, times: int) -> bool:
    return world.rows(tables.operator_alerts.c.attempts) == [(times,)]


def count_alerts(world: World) -> int:
    """Return how many alerts were posted to Cleo, whatever they say now."""
    posts = [call.args for call in world.workspace.api_calls if call.method == "chat.postMessage"]
    return sum(post["channel"] == fixtures.CLEO and ALERT in post["text"] for post in posts)


def is_running(name: str) -> bool:
    return any(task.get_name() == name for task in asyncio.all_tasks())


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with an operator, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, database_url=url, csat_operators=fixtures.CLEO) as world:
        yield world


async def test_a_second_outage_alerts_the_operators_again_once_a_survey_was_sent_in_between(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.x.fail(Fault.TOKEN_REVOKED)
    await world.submit_survey()
    await world.wait_for_dm(ALERT, fixtures.CLEO)
    world.x.recover()
    await world.advance(minutes=61)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.SENT))
    world.x.fail(Fault.TOKEN_REVOKED)
    await world.submit_survey("/csat @sofie_l")
    await world.wait_until(lambda: count_alerts(world) == 2)

    assert caplog.text.count("is paused") == 2


async def test_keys_that_x_rejects_again_after_a_repair_alert_the_operators_again_within_an_hour(
    tmp_path: Path, database_url: str
) -> None:
    async with idle_world(tmp_path, database_url=database_url, csat_operators=fixtures.CLEO) as world:
        world.x.fail(Fault.WRONG_KEYS, Endpoint.ME)
        async with running_app(world):
            await world.wait_for_dm(ALERT, fixtures.CLEO)
        world.x.recover()
        async with running_app(world):
            await world.wait_until(lambda: not is_paused(world))
        world.x.fail(Fault.WRONG_KEYS, Endpoint.ME)
        async with running_app(world):
            await world.wait_until(lambda: is_paused(world))
            ((alerted_at, due_at),) = world.rows(tables.accounts.c.alerted_at, tables.accounts.c.alert_due_at)
            assert count_alerts(world) == 1
            await world.advance(minutes=61)
            await world.wait_until(lambda: count_alerts(world) == 2)

    assert due_at == alerted_at + MIN_ALERT_INTERVAL


async def test_after_the_command_resume_a_repeated_refusal_alerts_the_operators_again(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world.x.fail(Fault.WRONG_PLAN)
    await world.submit_survey()
    await world.wait_for_dm(ALERT, fixtures.CLEO)
    async with fake_environment(tmp_path) as (_, _, environment):
        await run_command(tmp_path, {**environment, "DATABASE_URL": world.database_url}, "resume")
    await world.wait_until(lambda: count_alerts(world) == 2)

    assert caplog.text.count("is paused") == 2
    assert "accepts the account" not in caplog.text


def test_a_pause_that_begins_again_before_its_alert_was_posted_goes_on(connection: Connection) -> None:
    account_pauses.ensure_account(connection, "A1")
    pause = partial(
        account_pauses.pause, connection, "A1", "SenderRestricted", "Log in.", concerns_all_requests=False
    )
    is_new = [pause(NOON)]
    account_pauses.resume(connection, "A1", NOON)
    is_new.append(pause(LATER))

    assert is_new == [True, False]


async def test_an_alert_that_slack_does_not_take_for_days_is_logged_once_and_posted_then(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.workspace.faults.fail("chat.postMessage", "token_revoked", times=1_000)
    for endpoint in (Endpoint.CREATE, Endpoint.ME):
        world.x.fail(Fault.WRONG_KEYS, endpoint)
    await world.submit_survey()
    for tries in range(1, 14):
        await world.wait_until(partial(was_alert_tried, world, tries))
        await world.advance(minutes=11)
    await world.wait_until(partial(was_alert_tried, world, 14))
    await world.advance(days=3)
    await world.wait_until(partial(was_alert_tried, world, 15))
    world.workspace.faults.clear()
    await world.advance(minutes=11)

    await world.wait_for_dm(ALERT, fixtures.CLEO)
    assert sum(line.startswith(f"Operator {fixtures.CLEO} was not told") for line in caplog.messages) == 1


async def test_an_alert_that_slack_refuses_is_given_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.workspace.faults.fail("chat.postMessage", "user_not_found")
    world.x.fail(Fault.WRONG_KEYS, Endpoint.CREATE)
    await world.submit_survey()

    given_up = f"Operator {fixtures.CLEO} was not told (user_not_found), retry: None"
    await world.wait_until(lambda: given_up in caplog.messages)
    await world.wait_until(lambda: not world.rows(tables.operator_alerts))


async def test_keys_that_x_rejects_at_the_start_pause_the_account_before_somebody_sends(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_world(
        tmp_path, database_url=database_url, x_api_key="wrong", csat_operators=fixtures.CLEO
    ) as world:
        await world.wait_for_dm(ALERT, fixtures.CLEO)
        async with local_client() as client:
            response = await client.get(f"{world.url}/readyz")

    assert response.json()["degraded"] == ["x: it rejects this app's keys (InvalidCredentials)"]
    assert f"its surveys wait until X accepts them again. {InvalidCredentials.fix}" in caplog.text


async def test_what_x_said_at_the_start_does_not_end_a_pause_that_began_meanwhile(
    tmp_path: Path, database_url: str
) -> None:
    async with idle_world(tmp_path, database_url=database_url) as world:
        with world.x.hold(Endpoint.ME) as hold:
            async with running_app(world):
                await hold.arrived.wait()
                world.x.fail(Fault.TOKEN_REVOKED, Endpoint.CREATE)
                await world.submit_survey()
                await world.wait_until(lambda: is_paused(world))
                hold.release()
                await world.wait_until(lambda: not is_running("checking the X account"))

        assert is_paused(world)


async def test_the_log_says_at_the_start_who_surveys_are_sent_by(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with running_world(tmp_path) as world:
        line = f"X accepts this app's keys: surveys are sent by the account {world.settings.x_account_id}"
        await world.wait_until(lambda: line in caplog.text)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.OVER_CAPACITY, "it is busy or has a problem at the moment"),
        (Fault.PAGE_MISSING, "it knows no such account, or isn't at this address"),
        (Fault.NOT_PERMITTED, "it refused"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_an_x_that_tells_nothing_at_the_start_is_a_warning_only_as_it_may_take_surveys(
    tmp_path: Path, fault: Fault, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with idle_world(tmp_path) as world:
        world.x.fail(fault, Endpoint.ME)
        async with running_app(world):
            await world.wait_until(
                lambda: f"X doesn't say whether it accepts this app's keys: {reason}" in caplog.text
            )
            await world.send_survey()
        assert world.rows(tables.accounts.c.paused_at) == [(None,)]


async def test_a_start_with_repaired_keys_ends_the_pause_at_once(tmp_path: Path, database_url: str) -> None:
    async with idle_world(tmp_path, database_url=database_url) as world:
        world.x.fail(Fault.WRONG_KEYS, Endpoint.ME)
        async with running_app(world):
            await world.wait_until(lambda: is_paused(world))
        world.x.recover()
        async with running_app(world):
            await world.send_survey()

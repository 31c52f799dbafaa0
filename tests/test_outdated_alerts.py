"""The operators' message about a paused X account stays true once the outage is over."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from csat.db import tables
from sandbox.slack import Message, fixtures
from sandbox.x import Endpoint, Fault
from tests.app_process import fake_environment, run_command
from tests.databases import SLOW_KINDS, Databases
from tests.world import World, other_workspace, running_app, running_world, visible_text

ALERT = "X isn't accepting surveys"
ACCEPTED = "X accepted surveys again"
TRIED = "The surveys that waited for this are tried again. If X still refuses them, you are told here."
OPERATORS = (fixtures.CLEO, fixtures.BEN)
REFUSED_ENDPOINTS = {
    Fault.WRONG_KEYS: (Endpoint.CREATE, Endpoint.ME),
    Fault.WRONG_PLAN: (Endpoint.CREATE,),
}


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with two operators, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, database_url=url, csat_operators=",".join(OPERATORS)) as world:
        yield world


async def pause_account(world: World, fault: Fault, command: str = "/csat @mira_k") -> Message:
    """Let X refuse the account, wait until the operators are told, and return what Cleo is told."""
    for endpoint in REFUSED_ENDPOINTS[fault]:
        world.x.fail(fault, endpoint)
    await world.submit_survey(command)
    for operator in OPERATORS:
        await world.wait_for_dm(ALERT, operator)
    await world.wait_until(lambda: len(world.rows(tables.posted_alerts)) == len(OPERATORS))
    return await world.wait_for_dm(ALERT, fixtures.CLEO)


async def recover(world: World) -> None:
    """Let X accept the account again, and a probe of it be due."""
    world.x.recover()
    await world.advance(minutes=6)


async def poll_outbox(world: World) -> None:
    """Wait until the app has begun to poll its outbox from now on, and has done so."""
    for _ in range(2):
        polls = await world.wait_until(
            lambda: {task for task in asyncio.all_tasks() if task.get_name() == "polling the outbox"}
        )
        await asyncio.wait(polls)


def is_paused(world: World) -> bool:
    return world.rows(tables.accounts.c.paused_at) != [(None,)]


def count_updates(world: World) -> int:
    return sum(call.method == "chat.update" for call in world.workspace.api_calls)


async def test_once_a_probe_finds_that_x_accepts_the_account_the_alerts_say_so_and_since_when(
    world: World,
) -> None:
    alert = await pause_account(world, Fault.WRONG_KEYS)
    await recover(world)
    told = await world.wait_for_dm(ACCEPTED, fixtures.CLEO)
    await world.wait_for_dm(ACCEPTED, fixtures.BEN)
    await world.wait_until(lambda: not world.rows(tables.posted_alerts))
    [(resumed_at,)] = world.rows(tables.accounts.c.resumed_at)

    assert told.ts == alert.ts
    assert f"'timestamp': {int(resumed_at.timestamp())}" in str(told.blocks)
    assert visible_text(told).endswith(
        "The surveys that waited for this were tried from then on. "
        "The reason was: it rejects this app's keys."
    )
    assert count_updates(world) == len(OPERATORS)


async def test_if_x_refused_some_requests_only_the_alerts_change_once_x_has_taken_a_survey(
    world: World,
) -> None:
    await pause_account(world, Fault.WRONG_PLAN)
    with world.x.hold(Endpoint.CREATE) as hold:
        await recover(world)
        await hold.arrived.wait()
        assert not is_paused(world)
        await poll_outbox(world)
        assert count_updates(world) == 0
    told = await world.wait_for_dm(ACCEPTED, fixtures.CLEO)

    assert visible_text(told).endswith("The reason was: it doesn't allow this app to send them.")
    assert world.states() == ["sent"]


async def test_an_alert_keeps_its_button_while_x_answers_but_refuses_the_surveys_that_are_tried(
    world: World,
) -> None:
    alert = await pause_account(world, Fault.WRONG_PLAN)
    for _ in range(2):
        with world.x.hold(Endpoint.CREATE) as hold:
            await world.advance(minutes=6)
            await hold.arrived.wait()
            assert not is_paused(world)
            await poll_outbox(world)
        await world.wait_until(partial(is_paused, world))

    assert count_updates(world) == 0
    assert "Resume now" in visible_text(world.workspace.get_message(alert.channel, alert.ts))


async def test_where_nothing_is_left_to_try_the_alerts_say_after_a_day_that_surveys_are_tried(
    world: World,
) -> None:
    await pause_account(world, Fault.WRONG_PLAN)
    await world.delete_surveys()
    await world.advance(minutes=6)
    await world.wait_until(lambda: not is_paused(world))
    await poll_outbox(world)
    assert count_updates(world) == 0

    await world.advance(days=1)
    await world.wait_for_dm(TRIED, fixtures.CLEO)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(Fault.WRONG_KEYS, ACCEPTED), (Fault.WRONG_PLAN, TRIED)],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_an_operator_who_resumes_keeps_the_message_that_says_so_and_the_others_are_told(
    world: World, fault: Fault, expected: str
) -> None:
    alert = await pause_account(world, fault)
    world.x.recover()
    with world.x.hold(Endpoint.CREATE):
        await world.workspace.click(fixtures.CLEO, "resume_account", channel=alert.channel, ts=alert.ts)
        other = visible_text(await world.wait_for_dm(expected, fixtures.BEN))
    await world.wait_for_feedback()
    await world.wait_until(lambda: not world.rows(tables.posted_alerts))

    assert (ACCEPTED in other, "Resume now" in other) == (expected == ACCEPTED, False)
    kept = world.workspace.get_message(alert.channel, alert.ts)
    assert visible_text(kept).startswith(f"<@{fixtures.CLEO}> resumed sending")
    assert count_updates(world) == 1


async def test_after_the_command_resume_the_alerts_say_that_x_accepts_surveys_again(
    world: World, tmp_path: Path
) -> None:
    await pause_account(world, Fault.WRONG_KEYS)
    world.x.recover()
    async with fake_environment(tmp_path) as (_, _, environment):
        await run_command(tmp_path, {**environment, "DATABASE_URL": world.database_url}, "resume")

    for operator in OPERATORS:
        await world.wait_for_dm(ACCEPTED, operator)


async def test_an_alert_that_could_not_be_updated_waits_for_the_end_of_the_next_pause(world: World) -> None:
    first = await pause_account(world, Fault.WRONG_KEYS)
    world.workspace.faults.fail("chat.update", "503", times=1_000)
    await recover(world)
    await world.wait_until(lambda: count_updates(world) >= len(OPERATORS))
    for endpoint in REFUSED_ENDPOINTS[Fault.WRONG_KEYS]:
        world.x.fail(Fault.WRONG_KEYS, endpoint)
    await world.submit_survey("/csat @sofie_l")
    await world.wait_until(partial(is_paused, world))
    await world.advance(minutes=61)
    world.workspace.faults.clear()
    await world.wait_until(lambda: world.count_messages(ALERT, first.channel, fixtures.CLEO) == 2)
    assert world.find_dm(ACCEPTED, fixtures.CLEO) is None

    await recover(world)
    await world.wait_until(lambda: world.count_messages(ACCEPTED, first.channel, fixtures.CLEO) == 2)


async def test_an_update_that_slack_does_not_take_is_repeated(world: World) -> None:
    await pause_account(world, Fault.WRONG_KEYS)
    world.workspace.faults.fail("chat.update", "token_revoked", times=len(OPERATORS))
    await recover(world)
    await world.wait_until(lambda: count_updates(world) >= len(OPERATORS))
    await world.advance(minutes=1)

    for operator in OPERATORS:
        await world.wait_for_dm(ACCEPTED, operator)


async def test_an_update_that_slack_refuses_is_given_up_without_a_warning(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await pause_account(world, Fault.WRONG_KEYS)
    world.workspace.faults.fail("chat.update", "message_not_found", times=len(OPERATORS))
    await recover(world)
    await world.wait_until(lambda: not world.rows(tables.posted_alerts))

    assert "was not told" not in caplog.text
    assert world.find_dm(ACCEPTED, fixtures.CLEO) is None


async def test_an_alert_is_left_as_it_is_if_slack_did_not_say_where_it_was_posted(world: World) -> None:
    world.workspace.faults.garble("chat.postMessage", b'{"ok": true}', times=len(OPERATORS))
    world.x.fail(Fault.WRONG_KEYS)
    await world.submit_survey()
    await world.wait_for_dm(ALERT, fixtures.CLEO)
    await world.wait_until(lambda: not world.rows(tables.operator_alerts))

    assert world.rows(tables.posted_alerts) == []


async def test_one_of_several_instances_updates_each_alert(world: World) -> None:
    async with running_app(world):
        await pause_account(world, Fault.WRONG_KEYS)
        await recover(world)
        await world.wait_until(lambda: not world.rows(tables.posted_alerts))

    assert count_updates(world) == len(OPERATORS)


async def test_each_workspace_that_shares_the_account_updates_the_alerts_to_its_own_operators(
    tmp_path: Path,
) -> None:
    async with (
        running_world(tmp_path, csat_operators=fixtures.CLEO) as world,
        other_workspace(world, csat_operators=fixtures.ADA) as other,
        running_app(other),
    ):
        world.x.fail(Fault.SENDER_SUSPENDED)
        await world.submit_survey()
        await world.wait_for_dm(ALERT, fixtures.CLEO)
        await other.wait_for_dm(ALERT, fixtures.ADA)
        await recover(world)
        await world.wait_for_dm(ACCEPTED, fixtures.CLEO)
        await other.wait_for_dm(ACCEPTED, fixtures.ADA)

    assert (count_updates(world), count_updates(other)) == (1, 1)

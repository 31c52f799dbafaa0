"""The button in the operators' direct message about a paused X account."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from csat.db import tables
from sandbox.slack import Message, fixtures
from sandbox.x import Endpoint, Fault
from tests.databases import SLOW_KINDS, Databases
from tests.world import World, idle_world, is_app_idle, running_app, running_world, visible_text

ALERT = "X isn't accepting surveys: it rejects this app's keys."


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with two operators, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    operators = f"{fixtures.CLEO},{fixtures.BEN}"
    async with running_world(tmp_path, database_url=url, csat_operators=operators) as world:
        yield world


async def pause_account(world: World) -> Message:
    """Let X reject the app's keys, and return the alert to Cleo."""
    for endpoint in (Endpoint.CREATE, Endpoint.ME):
        world.x.fail(Fault.WRONG_KEYS, endpoint)
    await world.submit_survey("/csat @mira_k")
    return await world.wait_for_dm(ALERT, fixtures.CLEO)


async def press(world: World, alert: Message, user: str = fixtures.CLEO) -> None:
    await world.workspace.click(user, "resume_account", channel=alert.channel, ts=alert.ts)


async def test_an_operator_resumes_a_repaired_account_and_the_message_says_so(world: World) -> None:
    alert = await pause_account(world)
    world.x.recover()
    await press(world, alert)
    resumed = await world.wait_for_dm(f"<@{fixtures.CLEO}> resumed sending", fixtures.CLEO)

    assert resumed.ts == alert.ts
    assert "Resume now" not in visible_text(resumed)
    await world.wait_for_feedback()


async def test_a_survey_that_was_accepted_during_the_pause_leaves_at_once_as_well(world: World) -> None:
    alert = await pause_account(world)
    await world.submit_survey("/csat @sofie_l", fixtures.BEN)
    await world.wait_until(lambda: set(world.rows(tables.surveys.c.lease_owner)) == {(None,)})
    world.x.recover()
    await press(world, alert)

    await world.wait_for_feedback(2)


async def test_what_an_operator_reads_stays_true_if_x_refuses_the_surveys_again(world: World) -> None:
    alert = await pause_account(world)
    world.x.recover(Endpoint.ME)
    await press(world, alert)
    resumed = visible_text(await world.wait_for_dm("resumed sending", fixtures.CLEO))
    await world.wait_until(lambda: world.count_messages(ALERT, alert.channel) == 1)

    assert "go out now" not in resumed
    assert (
        "The surveys that waited for this are tried again. If X still refuses them, you are told here."
        in resumed
    )


async def test_the_message_keeps_its_button_while_x_still_refuses(world: World) -> None:
    alert = await pause_account(world)
    await press(world, alert)
    tried = await world.wait_for_dm("tried to resume", fixtures.CLEO)

    assert tried.ts == alert.ts
    assert visible_text(tried).startswith(ALERT)
    assert f"<@{fixtures.CLEO}> tried to resume" in visible_text(tried)
    assert world.rows(tables.accounts.c.paused_at) != [(None,)]

    world.x.recover()
    await press(world, tried)
    await world.wait_for_dm("resumed sending", fixtures.CLEO)


async def test_another_operator_reads_that_the_account_is_resumed_already(world: World) -> None:
    alert = await pause_account(world)
    other = await world.wait_for_dm(ALERT, fixtures.BEN)
    world.x.recover()
    with world.workspace.faults.hold("chat.update", after=False):
        await press(world, alert)
        await world.wait_for_dm("resumed sending", fixtures.CLEO)
        await press(world, other, fixtures.BEN)
        told = await world.wait_for_dm("Already resumed: the surveys that waited", fixtures.BEN)

    assert told.ts == other.ts
    assert "Resume now" not in visible_text(told)


async def test_a_person_who_is_no_operator_any_more_can_not_resume_an_account(tmp_path: Path) -> None:
    async with idle_world(tmp_path, csat_operators=fixtures.CLEO) as world:
        async with running_app(world):
            alert = await pause_account(world)
        world.x.recover(Endpoint.CREATE)
        others = world.settings.model_copy(update={"csat_operators": frozenset({fixtures.BEN})})
        async with running_app(replace(world, settings=others)):
            await press(world, alert)
            await world.wait_for_dm("Only operators can resume sending.", fixtures.CLEO)

    assert world.rows(tables.accounts.c.paused_at) != [(None,)]


async def test_an_account_that_is_refused_again_alerts_the_operators_again(world: World) -> None:
    alert = await pause_account(world)
    world.x.recover(Endpoint.ME)
    await press(world, alert)
    await world.wait_for_dm("resumed sending", fixtures.CLEO)

    again = await world.wait_for_dm(ALERT, fixtures.CLEO)
    assert again.ts != alert.ts


async def test_the_button_does_not_resume_another_account(world: World) -> None:
    alert = await pause_account(world)
    await press(world, alert)
    await world.wait_for_dm("tried to resume", fixtures.CLEO)
    world.x.recover()
    action = {**world.workspace.deliveries[-1].payload["actions"][0], "value": "1810000000000000002"}
    await world.forge(actions=[action])
    await world.wait_for_dm("an X account that this app isn't using now", fixtures.CLEO)
    await world.wait_until(is_app_idle)

    assert world.rows(tables.accounts.c.paused_at) != [(None,)]

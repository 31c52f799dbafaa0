"""Apps of several Slack workspaces that share a database and an X account."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cli import forget
from csat.db import tables
from csat.surveys.recipients import XAccount
from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.databases import SLOW_KINDS, Databases
from tests.factories import SUPERVISED
from tests.world import (
    HASTY,
    LOW_RATING_ALERT,
    World,
    other_workspace,
    running_app,
    running_world,
    visible_text,
)

OTHER = {"id": fixtures.OTHER_TEAM}
ALERT = "X isn't accepting surveys"


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """A workspace with its app, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, pace=HASTY, database_url=url, **SUPERVISED) as world:
        world.workspace.invite_bot(fixtures.LEADS)
        yield world


@pytest.fixture(name="other")
async def _other(world: World) -> AsyncIterator[World]:
    """Another workspace, where users and channels have the same ids; its app is not running yet."""
    async with other_workspace(world, **SUPERVISED) as other:
        other.workspace.invite_bot(fixtures.LEADS)
        yield other


async def rate_low(world: World, feedback_id: str, rated: int) -> None:
    """Rate a survey as its customer, and wait until this many have a low rating."""
    world.x.respond(feedback_id, 1, "Nobody helped me.")
    await world.advance(minutes=2)
    await world.wait_until(lambda: len(world.rows(tables.follow_ups.c.survey_id)) == rated)


def count_alerts(world: World) -> int:
    return world.count_messages(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)


async def click_elsewhere(world: World, survey_id: int, **changes: Any) -> None:
    """Click the newest button again, with the id of another workspace's survey."""
    action = {**world.workspace.deliveries[-1].payload["actions"][0], "value": str(survey_id), **changes}
    await world.forge(actions=[action])


@pytest.mark.parametrize("kind", SLOW_KINDS)
async def test_the_operators_of_each_workspace_are_told_once_that_the_account_is_paused(
    databases: Databases, tmp_path: Path, kind: str
) -> None:
    operators = ({fixtures.CLEO}, {fixtures.ADA})
    ours, theirs = ({**SUPERVISED, "csat_operators": each} for each in operators)
    url = databases.make(kind, tmp_path)
    async with (
        running_world(tmp_path, pace=HASTY, database_url=url, **ours) as world,
        other_workspace(world, **theirs) as other,
        running_app(other),
    ):
        world.x.fail(Fault.SENDER_SUSPENDED)
        await world.submit_survey("/csat @mira_k")
        await world.wait_for_dm(ALERT, fixtures.CLEO)
        first = await other.wait_for_dm(ALERT, fixtures.ADA)
        await world.wait_until(lambda: not world.rows(tables.operator_alerts))

        assert other.count_messages(ALERT, first.channel, fixtures.ADA) == 1
        assert (world.find_dm(ALERT, fixtures.ADA), other.find_dm(ALERT, fixtures.CLEO)) == (None, None)


async def test_a_low_rating_is_announced_in_its_own_workspace_only(world: World, other: World) -> None:
    async with running_app(other):
        theirs = await other.send_survey("/csat @mira_k", external_id="theirs")
    await rate_low(world, theirs.id, 1)
    await rate_low(world, (await world.send_survey("/csat @sofie_l", external_id="ours")).id, 2)
    await world.wait_for_message("Case number: ours", fixtures.LEADS, fixtures.CLEO)
    async with running_app(other):
        await other.wait_for_message("Case number: theirs", fixtures.LEADS, fixtures.CLEO)
        await other.wait_until(other.is_outbox_empty)

    assert (count_alerts(world), count_alerts(other)) == (1, 1)


async def test_a_survey_sent_by_another_workspace_s_app_is_confirmed_where_it_was_asked_for(
    world: World, other: World
) -> None:
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    async with running_app(other):
        await other.submit_survey("/csat @mira_k")
        await other.wait_until(lambda: other.rows(tables.attempts.c.outcome) == [("accepted",)])
    await world.advance(minutes=5)
    await world.wait_for_feedback()
    await world.send_survey("/csat @sofie_l")
    assert len(world.app_messages()) == 1

    async with running_app(other):
        await other.wait_until(other.is_outbox_empty)
    assert len(world.app_messages()) == 1
    assert "@mira_k" in visible_text(other.app_messages())


async def test_the_buttons_of_a_survey_work_in_its_own_workspace_only(world: World, other: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY)
    async with running_app(other):
        await other.submit_survey("/csat @mira_k")
        await other.wait_until(lambda: other.rows(tables.attempts.c.outcome) == [("accepted",)])
    await world.submit_survey("/csat @sofie_l")
    await world.wait_until(lambda: world.rows(tables.attempts.c.outcome) == [("accepted",)] * 2)
    world.notify_after.set()
    own = await world.wait_for_dm("Queued")
    await world.workspace.click(fixtures.ADA, "cancel_survey", channel=own.channel, ts=own.ts)
    await world.wait_for_dm("Canceled: the survey to")

    await click_elsewhere(world, 1)
    await world.wait_for_dm("Only the person who asked for this survey can cancel it")
    await click_elsewhere(world, 1, action_id="edit_survey")
    await world.wait_for_dm("Only the person who asked for this survey can change it")
    assert world.states() == ["accepted", "cancelled"]


@pytest.mark.parametrize("action_id", ["survey_arrived", "send_survey_again"])
async def test_an_uncertain_survey_is_settled_in_its_own_workspace_only(
    world: World, other: World, action_id: str
) -> None:
    world.x.fail(Fault.BAD_GATEWAY, times=2)
    async with running_app(other):
        await other.submit_survey("/csat @mira_k")
        await other.wait_for_dm("may not have arrived")
    await world.submit_survey("/csat @sofie_l")
    own = await world.wait_for_dm("may not have arrived")
    await world.workspace.click(fixtures.ADA, "leave_survey", channel=own.channel, ts=own.ts)
    await world.wait_for_dm("Left as it is.")

    await click_elsewhere(world, 1, action_id=action_id)
    await world.wait_for_dm("this is already settled, or somebody else asked")
    assert world.states() == ["uncertain", "uncertain"]


async def test_a_customer_s_status_names_nobody_from_another_workspace(world: World, other: World) -> None:
    async with running_app(other):
        await other.send_survey("/csat @mira_k", fixtures.BEN)
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat status @mira_k")
    status = visible_text(await world.wait_for_message("Can't be asked until"))

    assert fixtures.BEN not in status
    assert "Somebody in another workspace asked" in status


async def test_a_customer_s_surveys_in_another_workspace_are_erased_with_its_token_only(
    world: World, other: World, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_app(other):
        await other.send_survey("/csat @mira_k")
    await world.advance(days=31)
    await world.send_survey("/csat @mira_k")
    await world.wait_until(world.is_outbox_empty)
    mira = XAccount(id=world.x.customer("mira_k").id)
    with pytest.raises(typer.Exit, match="1"):
        await forget.run(world.settings, mira, yes=True)
    first = capsys.readouterr().out

    assert first == (
        f"2 surveys on file for {mira.id}.\n"
        "Erased 1 survey, and changed 1 message in Slack.\n"
        "Backups made before still have the customer.\n"
        f"Kept 1 survey of the workspace {fixtures.OTHER_TEAM}: only its own token can change the messages "
        "there. Run this command again with that SLACK_BOT_TOKEN, or erase the database alone with "
        "--without-slack.\n"
    )
    handle = tables.surveys.c.recipient_handle
    assert world.rows(handle) == [("mira_k",), (None,)]
    assert "@mira_k" not in visible_text(world.app_messages())
    assert "@mira_k" in visible_text(other.app_messages())

    with pytest.raises(typer.Exit, match="1"):
        await forget.run(world.settings, mira, yes=False)
    again = capsys.readouterr().out
    await forget.run(other.settings, mira, yes=True)

    assert again.startswith(f"1 survey on file for {mira.id}.\nKept 1 survey")
    assert capsys.readouterr().out.endswith(
        "Erased 1 survey, and changed 1 message in Slack.\nBackups made before still have the customer.\n"
    )
    assert world.rows(handle) == [(None,), (None,)]
    assert "@mira_k" not in visible_text(other.app_messages())

"""`python app.py forget` where Slack refuses the token for good, and what `--without-slack` erases then."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from csat.db import tables
from csat.db.outbox import NotificationKind
from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.app_process import environment_of, run_command
from tests.databases import SLOW_KINDS, Databases
from tests.slack_survey_kit import ask, insert_survey
from tests.world import World, idle_world, running_app, visible_text

STOPPED = "Forgetting stopped: "
ELSEWHERE = {"team": fixtures.OTHER_TEAM, "account": fixtures.OTHER_TEAM}
SAM_ELSEWHERE = f"{fixtures.OTHER_TEAM}/{fixtures.SAM}"


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """Slack and X, and a database of each kind; the app runs only as the test says so."""
    async with idle_world(tmp_path, database_url=databases.make(request.param, tmp_path)) as world:
        yield world


async def forget(world: World, customer: str, *options: str) -> tuple[int, str]:
    """Run the command with a token that Slack refuses, and return its exit code and output."""
    environment = {**environment_of(world), "SLACK_BOT_TOKEN": "xoxb-of-a-workspace-that-is-gone"}
    folder = world.database_file.parent
    return await run_command(folder, environment, "forget", customer, "--yes", *options)


def change(world: World, table: sqlalchemy.Table, **values: object) -> None:
    """Set columns of all rows of a table."""
    with world.engine.begin() as connection:
        connection.execute(sqlalchemy.update(table).values(values))


async def test_a_refused_token_stops_the_command_which_says_what_to_do(world: World) -> None:
    insert_survey(world)
    code, printed = await forget(world, fixtures.SAM)

    assert code == 1
    assert printed == (
        f"{STOPPED}Slack does not say which workspace is this app's: Slack does not accept the token "
        "(invalid_auth). Check SLACK_BOT_TOKEN, or erase the database alone with --without-slack.\n"
    )


async def test_while_slack_is_busy_the_command_is_to_be_run_again_later(world: World) -> None:
    insert_survey(world)
    world.workspace.faults.fail("auth.test", "internal_error", times=10)
    command = ("forget", fixtures.SAM, "--yes")
    code, printed = await run_command(world.database_file.parent, environment_of(world), *command)

    assert code == 1
    assert printed.endswith(
        "(internal_error). Try again later, or erase the database alone with --without-slack.\n"
    )


async def test_without_slack_the_database_is_erased_and_the_messages_that_stay_are_named(
    world: World,
) -> None:
    async with running_app(world):
        await world.send_survey("/csat @mira_k")
        await world.wait_until(world.is_outbox_empty)
    asked = len(world.workspace.api_calls)
    code, printed = await forget(world, "@mira_k", "--without-slack")

    assert code == 0
    assert printed == (
        "1 survey on file for @mira_k.\n"
        "Erased 1 survey, and changed 0 messages in Slack.\n"
        "Backups made before still have the customer.\n"
        f"In channel {fixtures.SUPPORT}, survey 1: our message stays. Find and delete it.\n"
    )
    assert len(world.workspace.api_calls) == asked
    assert "mira_k" not in str([world.rows(table) for table in (tables.surveys, tables.outbox)])
    assert "@mira_k" in visible_text(world.app_messages())


async def test_without_slack_a_person_s_own_message_stays_too(world: World) -> None:
    async with running_app(world):
        question = await ask(world)
        await world.wait_until(world.is_outbox_empty)
    code, printed = await forget(world, fixtures.SAM, "--without-slack")

    assert code == 0
    assert printed.startswith(f"1 survey on file for {fixtures.TEAM}/{fixtures.SAM}.\nErased 1 survey")
    assert f"In channel {question.channel}, survey 1: our message stays. Find and delete it." in printed
    assert world.rows(tables.surveys.c.recipient_id) == [(None,)]


async def test_without_slack_what_waits_is_canceled_and_erased_with_what_was_to_be_announced(
    world: World,
) -> None:
    world.workspace.faults.fail("chat.postMessage", "invalid_auth", times=1000)
    world.x.fail(Fault.OVER_CAPACITY, times=1000)
    async with running_app(world):
        await world.submit_survey("/csat @mira_k")
        world.notify_after.set()
        await world.wait_until(lambda: any(world.attempts(NotificationKind.WAITING)))
    change(world, tables.outbox, due_at=world.clock() - timedelta(days=1))
    code, printed = await forget(world, "@mira_k", "--without-slack")

    assert code == 0
    assert printed == (
        "1 survey on file for @mira_k.\n"
        "Erased 1 survey, and changed 0 messages in Slack.\n"
        "Backups made before still have the customer.\n"
        "Canceled 1 survey before sending.\n"
        f"Tell <@{fixtures.ADA}> that a survey was canceled.\n"
    )
    assert world.rows(tables.surveys.c.state, tables.surveys.c.recipient_handle) == [("cancelled", None)]


@pytest.mark.parametrize(("minutes_ago", "erased"), [(60, True), (-5, False)])
async def test_without_slack_an_uncertain_survey_is_erased_unless_it_is_still_looked_for(
    world: World,
    minutes_ago: int,
    erased: bool,  # noqa: FBT001
) -> None:
    insert_survey(
        world, state="uncertain", reconcile_at=world.clock() - timedelta(minutes=minutes_ago), attempts=1
    )
    code, printed = await forget(world, fixtures.SAM, "--without-slack")

    assert code == (not erased)
    assert ("run this command again then." in printed) is not erased
    assert (world.rows(tables.surveys.c.recipient_id) == [(None,)]) is erased


async def test_without_slack_a_survey_that_is_being_announced_is_left(world: World) -> None:
    survey_id = insert_survey(world, state="sent")
    row = {"survey_id": survey_id, "kind": NotificationKind.SENT, "due_at": world.clock(), "attempts": 0}
    with world.engine.begin() as connection:
        connection.execute(tables.outbox.insert(), row)
    code, printed = await forget(world, fixtures.SAM, "--without-slack")

    assert code == 1
    assert "1 survey not erased yet: being sent, checked or announced." in printed
    assert not world.is_outbox_empty()


async def test_without_slack_a_customer_on_x_is_erased_in_every_workspace(world: World) -> None:
    on_x: dict[str, Any] = {
        "transport": "x_card",
        "account": "A1",
        "recipient_handle": "mira_k",
        "recipient_id": None,
    }
    ids = [
        insert_survey(world, **{**on_x, "state": "sent", "team": team})
        for team in (fixtures.TEAM, fixtures.OTHER_TEAM)
    ]
    insert_survey(world, **{**on_x, "team": fixtures.OTHER_TEAM})
    posted = {"kind": NotificationKind.SENT, "sent_at": world.clock(), "channel": fixtures.SUPPORT, "ts": "1"}
    with world.engine.begin() as connection:
        connection.execute(
            tables.outbox.insert(), [{**posted, "survey_id": each, "attempts": 1} for each in ids]
        )
    code, printed = await forget(world, "@mira_k", "--without-slack")

    assert code == 0
    assert "Erased 3 surveys" in printed
    for survey_id, team in zip(ids, (fixtures.TEAM, fixtures.OTHER_TEAM), strict=True):
        place = f"In workspace {team}, channel {fixtures.SUPPORT}, survey {survey_id}"
        assert f"{place}: our message stays. Find and delete it.\n" in printed
    told = f"In workspace {fixtures.OTHER_TEAM}, tell <@{fixtures.ADA}> that a survey was canceled.\n"
    assert printed.count(told) == 1
    assert world.rows(tables.surveys.c.recipient_handle) == [(None,)] * 3


async def test_without_slack_a_person_is_named_with_one_of_several_workspaces(world: World) -> None:
    insert_survey(world, state="sent")
    there = insert_survey(world, state="sent", recipient_id=SAM_ELSEWHERE, **ELSEWHERE)
    code, printed = await forget(world, fixtures.SAM, "--without-slack")
    several = f"{fixtures.TEAM}, {fixtures.OTHER_TEAM}"

    assert code == 1
    assert printed == (
        f"{STOPPED}{fixtures.SAM}: the database has surveys of several workspaces ({several}). Name the one "
        f"that asks them, which is not the customer's own, like {fixtures.TEAM}/{fixtures.SAM}.\n"
    )
    assert (await forget(world, SAM_ELSEWHERE, "--without-slack"))[0] == 0
    erased = tables.surveys.c.recipient_id.is_(None)
    assert world.rows(tables.surveys.c.id, where=erased) == [(there,)]


async def test_without_slack_a_workspace_without_surveys_is_a_mistake(world: World) -> None:
    none = await forget(world, fixtures.SAM, "--without-slack")
    insert_survey(world, state="sent")
    code, printed = await forget(world, SAM_ELSEWHERE, "--without-slack")

    assert none == (1, f"{STOPPED}{fixtures.SAM}: the database has no surveys.\n")
    assert code == 1
    assert printed == (
        f"{STOPPED}{SAM_ELSEWHERE}: the database has no surveys of the workspace {fixtures.OTHER_TEAM}. Name "
        "the workspace that asks them, which is not the customer's own, like "
        f"{fixtures.TEAM}/{fixtures.SAM}.\n"
    )

"""Pauses of the X account: when operators are alerted, and what the log says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from csat.db.outbox import NotificationKind
from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.app_process import fake_environment, run_command
from tests.databases import SLOW_KINDS, Databases
from tests.world import World, running_world

ALERT = "X isn't accepting surveys"


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
    first = await world.wait_for_dm(ALERT, fixtures.CLEO)
    world.x.recover()
    await world.advance(minutes=6)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.SENT))
    world.x.fail(Fault.TOKEN_REVOKED)
    await world.submit_survey("/csat @sofie_l")
    await world.wait_until(lambda: world.count_messages(ALERT, first.channel, fixtures.CLEO) == 2)

    assert caplog.text.count("is paused") == 2


async def test_after_the_command_resume_a_repeated_refusal_alerts_the_operators_again(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world.x.fail(Fault.WRONG_PLAN)
    await world.submit_survey()
    first = await world.wait_for_dm(ALERT, fixtures.CLEO)
    async with fake_environment(tmp_path) as (_, _, environment):
        await run_command(tmp_path, {**environment, "DATABASE_URL": world.database_url}, "resume")
    await world.wait_until(lambda: world.count_messages(ALERT, first.channel, fixtures.CLEO) == 2)

    assert "accepts the account 1810000000000000001 again: its surveys are tried again" in caplog.text
    assert "is resumed" not in caplog.text

"""Pauses of the X account: when operators are alerted, and what the log says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from csat.db.outbox import NotificationKind
from sandbox.slack import fixtures
from sandbox.x import Fault
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

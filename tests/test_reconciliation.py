"""Settling uncertain surveys with X's events, which hold other surveys too."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from blocks.uncertain_survey import SEND_AGAIN_ACTION
from csat.db import tables
from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.databases import SLOW_KINDS, Databases
from tests.world import HASTY, World, running_world, visible_text

LIMITS: dict[str, Any] = {"csat_allowlist": {"mira_k"}, "csat_cooldown_days": 0}


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app where Mira can be asked more than once a day, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, pace=HASTY, database_url=url, **LIMITS) as world:
        world.x.allowlist.add("mira_k")
        yield world


async def send_uncertain(world: World, fault: Fault, command: str = "/csat @mira_k") -> None:
    world.x.fail(fault, times=1)
    number = world.states().count("uncertain") + 1
    await world.submit_survey(command, external_id="case_7")
    await world.wait_until(lambda: world.states().count("uncertain") == number)


@pytest.mark.parametrize("command", ["/csat nps @mira_k", "/csat @mira_k"])
async def test_a_survey_that_never_arrived_takes_no_other_survey_s_place(world: World, command: str) -> None:
    await send_uncertain(world, Fault.BAD_GATEWAY)
    other = await world.send_survey(command, external_id="case_7")
    await world.advance(hours=24, minutes=11)
    message = await world.wait_for_dm("was not sent")
    world.x.respond(other.id, 4)
    await world.advance(days=2)
    await world.wait_until(lambda: "answered" in world.states())

    assert "X has no record of this survey" in visible_text(message)
    columns = (tables.surveys.c.state, tables.surveys.c.feedback_id, tables.surveys.c.rating)
    assert world.rows(*columns) == [("refused", None, None), ("answered", other.id, 4)]


async def test_of_two_like_surveys_the_one_that_arrived_is_found_by_its_time(world: World) -> None:
    await send_uncertain(world, Fault.BAD_GATEWAY)
    await world.advance(minutes=2)
    await send_uncertain(world, Fault.BAD_GATEWAY_AFTER)
    await world.advance(hours=24, minutes=11)
    await world.wait_until(lambda: "uncertain" not in world.states())

    assert world.rows(tables.surveys.c.state, tables.surveys.c.feedback_id) == [
        ("refused", None),
        ("sent", world.x.feedbacks[0].id),
    ]


async def test_a_card_that_arrived_is_answered_though_x_refused_to_send_it_again(world: World) -> None:
    await send_uncertain(world, Fault.BAD_GATEWAY_AFTER)
    world.x.fail(Fault.RECIPIENT_SUSPENDED, times=1)
    asked = await world.wait_for_dm("may not have arrived")
    await world.workspace.click(fixtures.ADA, SEND_AGAIN_ACTION, channel=asked.channel, ts=asked.ts)
    await world.wait_for_message("was not sent again. The first one may have arrived.")
    world.x.respond(world.x.feedbacks[0].id, 4)
    await world.advance(hours=24, minutes=11)
    await world.wait_for_message("They answered.")

    columns = (tables.surveys.c.state, tables.surveys.c.feedback_id, tables.surveys.c.rating)
    assert world.rows(*columns) == [("answered", world.x.feedbacks[0].id, 4), ("refused", None, None)]
    assert world.rows(tables.attempts.c.outcome) == [("sent",), ("refused",)]
    assert world.count_messages("sent a survey to @mira_k on X.") == 1

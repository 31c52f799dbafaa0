"""X's "This operation is not permitted": one message may be at fault, or the brand's account."""

import logging
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from csat.db import tables
from csat.db.outbox import NotificationKind
from sandbox.slack import fixtures
from sandbox.x import Endpoint, Fault
from tests.databases import SLOW_KINDS, Databases
from tests.rating_page_kit import link_settings
from tests.world import World, is_app_idle, running_world, visible_text

MIRA, SOFIE, ADA = "/csat @mira_k", "/csat @sofie_l", "/csat @ada_travels"
ALERT = "it refuses your brand's messages, whoever the customer is"


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with an operator, which sends links, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    settings = {**link_settings(), "csat_operators": {fixtures.CLEO}}
    async with running_world(tmp_path, database_url=url, **settings) as world:
        world.x.fail(Fault.OPERATION_NOT_PERMITTED, Endpoint.SEND_MESSAGE)
        yield world


async def ask(world: World, command: str) -> str:
    """Ask a customer, and return the state of the survey once an attempt has ended."""
    known = len(world.states())
    await world.submit_survey(command)
    await world.wait_until(lambda: world.states()[known:] not in ([], ["sending"]) and is_app_idle())
    return world.states()[known]


def has_tried(world: World, times: int) -> bool:
    """Return True if so many attempts have begun."""
    return len(world.rows(tables.attempts.c.number)) == times


async def test_a_second_customer_s_refusal_pauses_the_account_until_x_takes_messages_again(
    world: World,
) -> None:
    assert await ask(world, MIRA) == "refused"
    assert await ask(world, SOFIE) == "accepted"
    alert = visible_text(await world.wait_for_dm(ALERT, fixtures.CLEO))
    assert "Log in to the account on x.com" in alert
    assert "CSAT_MESSAGE" in alert
    assert ALERT in visible_text(await world.wait_for_waiting_message())

    world.x.recover()
    await world.advance(minutes=6)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.SENT))
    assert world.states() == ["refused", "sent"]


async def test_what_waits_goes_on_waiting_if_x_refuses_it_again_and_the_log_says_once_that_x_does(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await ask(world, MIRA)
    await ask(world, SOFIE)
    for tries in (3, 4, 5):
        await world.advance(minutes=25)
        await world.wait_until(partial(has_tried, world, tries))
        await world.wait_until(is_app_idle)

    assert world.states() == ["refused", "accepted"]
    assert world.rows(tables.accounts.c.cause) == [("SenderRestricted",)]
    assert caplog.text.count("is paused") == 1
    assert "accepts the account" not in caplog.text
    assert caplog.text.count("its surveys are tried, which X may still refuse") == 3


async def test_a_repeated_refusal_of_one_customer_s_survey_pauses_nothing(world: World) -> None:
    assert await ask(world, MIRA) == "refused"
    assert await ask(world, MIRA) == "refused"

    assert world.rows(tables.accounts.c.paused_at) == [(None,)]


async def test_refusals_with_a_sent_survey_in_between_pause_nothing(world: World) -> None:
    await ask(world, MIRA)
    world.x.recover()
    assert await ask(world, ADA) == "sent"
    world.x.fail(Fault.OPERATION_NOT_PERMITTED, Endpoint.SEND_MESSAGE)

    assert await ask(world, SOFIE) == "refused"
    assert world.rows(tables.accounts.c.paused_at) == [(None,)]


async def test_refusals_hours_apart_pause_nothing(world: World) -> None:
    await ask(world, MIRA)
    await world.advance(hours=2)

    assert await ask(world, SOFIE) == "refused"
    assert world.rows(tables.accounts.c.paused_at) == [(None,)]

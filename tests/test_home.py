"""The Home tab of agents."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from csat.db import erasure
from csat.db.tables import surveys
from csat.reporting.periods import last_days
from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.databases import KINDS, Databases
from tests.world import World, running_world, visible_text

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


async def test_an_empty_home_explains_how_to_start(world: World) -> None:
    view = await world.open_home()

    assert "You haven't asked a customer yet" in visible_text(view)
    assert "Type /csat @customer in any channel" in visible_text(view)


@pytest.mark.parametrize(
    ("agents", "user", "reason"),
    [
        ("", fixtures.GUS, "Guests can't send surveys. Ask a teammate, or an admin of this app."),
        (fixtures.ADA, fixtures.BEN, "You're not on the list of people who can send surveys."),
    ],
)
async def test_the_home_of_a_person_who_may_not_send_says_so(
    tmp_path: Path, agents: str, user: str, reason: str
) -> None:
    async with running_world(tmp_path, csat_agents=agents) as world:
        world.insert_rated([None], recipient="@mira_k", requester=user)
        home = visible_text(await world.open_home(user))

    assert reason in home
    assert "@mira_k" in home
    assert "/csat" not in home


async def test_the_home_explains_how_to_start_while_slack_can_not_say_who_may_send(world: World) -> None:
    world.workspace.faults.fail("users.info", "500")

    assert "Type /csat @customer in any channel" in visible_text(await world.open_home(fixtures.GUS))


async def test_agents_see_the_status_of_their_own_surveys_only(any_world: World) -> None:
    world = any_world
    await world.open_form("/csat @mira_k")
    await world.fill_in(external_id="ticket_5555")
    await world.workspace.submit_view(fixtures.ADA)
    await world.wait_for_message("sent a survey to @mira_k")

    mine, theirs = visible_text(await world.open_home()), visible_text(await world.open_home(fixtures.BEN))

    assert "Your last 30 days: 1 sent · 1 waiting for an answer" in mine
    assert "@mira_k in , CSAT: sent, no answer yet · ticket_5555" in mine
    assert "You haven't asked a customer yet" in theirs
    assert "@mira_k" not in theirs


@pytest.mark.parametrize("kind", KINDS)
async def test_an_agent_s_figures_are_those_of_the_supervisor_s_report(
    tmp_path: Path, databases: Databases, kind: str
) -> None:
    settings: dict[str, Any] = {"csat_supervisors": fixtures.CLEO, "csat_timezone": "America/Los_Angeles"}
    async with running_world(tmp_path, database_url=databases.make(kind, tmp_path), **settings) as world:
        now = world.clock()
        begin = last_days(30, now, world.settings.csat_timezone).begin
        on_the_first_day, before = ((now - begin + shift) / DAY for shift in (-MINUTE, MINUTE))
        world.insert_rated([5, None], days_ago=on_the_first_day)
        execute(world, sqlalchemy.update(surveys).values(accepted_at=begin - MINUTE))
        world.insert_rated([5], days_ago=before)
        world.insert_rated([None], test=True)
        world.insert_rated([10], metric="nps")

        await world.open_home(fixtures.CLEO)
        csat = visible_text(await world.choose_in_home("home_agent", fixtures.ADA))
        nps = visible_text(await world.choose_in_home("home_metric", "nps"))
        mine = visible_text(await world.open_home())

    assert "2 sent · 1 answer · 0 comments (0% of answers) · 1 still open" in csat
    assert "1 sent · 1 answer" in nps
    assert "Your last 30 days: 3 sent (2 CSAT, 1 NPS) · 1 waiting for an answer · 2 answered" in mine
    assert "2 answered · 1 test, not counted" in mine


async def test_a_test_that_an_agent_sent_is_listed_but_not_counted(world: World) -> None:
    world.insert_rated([None], test=True, external_id="ticket_7")

    home = visible_text(await world.open_home())

    assert "Your last 30 days: no surveys · 1 test, not counted" in home
    assert "sent, no answer yet · ticket_7 · test" in home


async def test_a_survey_that_reached_somebody_else_is_not_called_unanswered_after_two_weeks(
    any_world: World,
) -> None:
    any_world.insert_rated([None])
    execute(any_world, sqlalchemy.update(surveys).values(state="expired", disowned_at=any_world.clock()))

    home = visible_text(await any_world.open_home())

    assert "Your last 30 days: 1 sent · 1 said that the survey wasn't meant for them" in home
    assert "no answer in two weeks" not in home


async def test_agents_see_why_a_survey_waits(world: World) -> None:
    world.x.fail(Fault.WRONG_KEYS)
    await world.submit_survey("/csat @mira_k")
    await world.wait_for_waiting_message()

    home = visible_text(await world.open_home())
    reason = "X isn't accepting surveys (it rejects this app's keys). An admin of this app has to fix this."
    assert f"queued · {reason}" in home


async def test_a_survey_that_was_sent_again_is_counted_once(any_world: World) -> None:
    await send_again(any_world, Fault.BAD_GATEWAY)
    await any_world.wait_for_message("sent a survey to @mira_k")

    home = visible_text(await any_world.open_home())
    assert "Your last 30 days: 1 sent · 1 waiting for an answer" in home
    assert home.count("may not have arrived") == home.count("CSAT: may not have arrived") == 1
    assert "not sent" not in home


async def test_a_survey_that_was_sent_again_in_vain_is_counted_as_its_line_says(any_world: World) -> None:
    await send_again(any_world, Fault.BAD_GATEWAY, Fault.DMS_CLOSED)
    await any_world.wait_for_message("was not sent again")

    home = visible_text(await any_world.open_home())
    assert "Your last 30 days: 0 sent · 1 not sent · 1 may not have arrived" in home


async def send_again(world: World, fault: Fault, fault_again: Fault | None = None) -> None:
    """Send a survey with an uncertain outcome, and then again."""
    world.x.fail(fault, times=1)
    await world.submit_survey("/csat @mira_k")
    message = await world.wait_for_dm("may not have arrived")
    if fault_again:
        world.x.fail(fault_again)
    await world.workspace.click(fixtures.ADA, "send_survey_again", channel=message.channel, ts=message.ts)


async def test_an_erased_customer_is_not_named(world: World) -> None:
    world.insert_rated([None], recipient="@mira_k", external_id="ticket_5555")
    execute(world, sqlalchemy.update(surveys).values(erasure.ERASED_VALUES))

    home = visible_text(await world.open_home())

    assert "a deleted customer" in home
    assert "ticket_5555" not in home


async def test_the_home_explains_how_to_configure_supervisors(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world:
        assert "CSAT_SUPERVISORS" in visible_text(await world.open_home())
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO) as world:
        home = visible_text(await world.open_home())
        assert "CSAT_SUPERVISORS" not in home
        assert "Supervisors can see the answers" in home


@pytest.mark.parametrize(
    ("transports", "reason"),
    [
        ("x_card", "can't: X asks for that."),
        ("slack", "can't."),
        ("x_card,slack", "can't; X asks for that of surveys on X."),
    ],
)
async def test_the_home_says_that_x_asks_to_hide_answers_only_of_surveys_on_x(
    tmp_path: Path, transports: str, reason: str
) -> None:
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO, csat_transports=transports) as world:
        home = visible_text(await world.open_home())

    assert home.endswith(f"The person who sent the survey {reason}")


async def test_opening_the_messages_tab_does_not_publish_a_home(world: World) -> None:
    await world.workspace.open_home(fixtures.ADA, "messages")
    await world.open_home(fixtures.BEN)

    assert world.workspace.home_view(fixtures.ADA) is None


def execute(world: World, statement: sqlalchemy.Update) -> None:
    with world.engine.begin() as connection:
        connection.execute(statement)

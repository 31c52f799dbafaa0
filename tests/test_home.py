"""The app's Home, as the person before it sees it."""

from pathlib import Path

import sqlalchemy

from csat.db import erasure
from csat.db.tables import surveys
from sandbox.slack import View, fixtures
from tests.answered import answered
from tests.world import World, living, said


async def home(world: World, user: str = fixtures.ADA) -> View:
    """Open the app's Home and return what is published there."""
    before = world.workspace.home_view(user)
    shown = before.hash if before else ""
    await world.workspace.open_home(user)
    return await world.eventually(lambda: _newer(world, user, shown))


def _newer(world: World, user: str, shown: str) -> View | None:
    view = world.workspace.home_view(user)
    return view if view and view.hash != shown else None


def words(view: View) -> str:
    """Return what is read in a view."""
    return said(view.blocks)


async def test_who_has_sent_nothing_is_told_how_to_begin(world: World) -> None:
    view = await home(world)

    assert "You have not asked a customer yet" in words(view)
    assert "Type /csat @handle in any channel" in words(view)


async def test_somebody_sees_what_became_of_what_they_sent(any_world: World) -> None:
    world = any_world
    await world.opened("/csat @mira_k")
    await world.type_in(external_id="ticket_5555")
    await world.workspace.submit_view(fixtures.ADA)
    await world.message("asked @mira_k")

    mine, theirs = words(await home(world)), words(await home(world, fixtures.BEN))

    assert "Your last 30 days: 1 sent, no answer yet" in mine
    assert "@mira_k in , CSAT: sent, no answer yet · ticket_5555" in mine
    assert "You have not asked a customer yet" in theirs
    assert "@mira_k" not in theirs


async def test_of_a_customer_who_was_erased_only_that_is_told(world: World) -> None:
    answered(world, [None], recipient="@mira_k", external_id="ticket_5555")
    with world.engine.begin() as connection:
        connection.execute(sqlalchemy.update(surveys).values(erasure.ERASED))

    told = words(await home(world))

    assert "a customer who was erased" in told
    assert "ticket_5555" not in told


async def test_where_nobody_supervises_the_home_says_who_can_change_that(tmp_path: Path) -> None:
    async with living(tmp_path) as world:
        assert "CSAT_SUPERVISORS" in words(await home(world))
    async with living(tmp_path, csat_supervisors=fixtures.CLEO) as world:
        told = words(await home(world))
        assert "CSAT_SUPERVISORS" not in told
        assert "Supervisors see how customers answered" in told


async def test_the_tab_with_the_messages_is_no_home(world: World) -> None:
    await world.workspace.open_home(fixtures.ADA, "messages")
    await home(world, fixtures.BEN)

    assert world.workspace.home_view(fixtures.ADA) is None

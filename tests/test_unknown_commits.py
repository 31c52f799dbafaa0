"""People read whether a commit was done during which PostgreSQL went away, or that we can't tell."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from csat.db import outbox, tables
from csat.db.outbox import NotificationKind
from sandbox.slack import ActionOutcome, ActionResult, Message, fixtures
from sandbox.x import Fault
from tests.factories import SUPERVISED, newest_survey_id
from tests.silent_proxy import SilentProxy
from tests.world import LOW_RATING_ALERT, World, running_world, visible_text

NOTE = "We called them."
COMMIT = b"COMMIT"


@pytest.fixture(name="world")
async def _world(proxy: SilentProxy, tmp_path: Path) -> AsyncIterator[World]:
    """The app with a supervisor, and its database behind the proxy."""
    async with running_world(
        tmp_path, database_url=proxy.url, direct_url=proxy.direct_url, **SUPERVISED
    ) as world:
        yield world
        proxy.resume()


@pytest.fixture(name="alert")
async def _alert(world: World) -> Message:
    """The alert to a low rating."""
    world.workspace.invite_bot(fixtures.LEADS)
    world.insert_rated([1])
    with world.engine.begin() as connection:
        survey_id = newest_survey_id(connection)
        outbox.enqueue(connection, survey_id, NotificationKind.LOW_RATING, world.clock())
    return await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)


async def click(world: World, action_id: str, message: Message, user: str = fixtures.ADA) -> None:
    await world.workspace.click(user, action_id, channel=message.channel, ts=message.ts)


async def wait_for_response(world: World, text: str) -> None:
    """Wait until a message took the place of that with the button; the next one may replace it at once."""
    calls = world.workspace.api_calls
    await world.wait_until(
        lambda: any(call.method == "response_url" and text in str(call.args) for call in calls)
    )


async def close(world: World, alert: Message) -> ActionResult:
    """Close a low rating with a note."""
    await click(world, "close_low_rating", alert, fixtures.CLEO)
    await world.wait_for_form(fixtures.CLEO)
    await world.fill_in(fixtures.CLEO, note=NOTE)
    return await world.workspace.submit_view(fixtures.CLEO)


def closed_by(world: World) -> list[tuple[str | None, str | None]]:
    return world.rows(tables.follow_ups.c.closed_by, tables.follow_ups.c.note)


async def send_uncertain(world: World) -> Message:
    """Send a survey with an uncertain outcome, and return the requester's message."""
    world.x.fail(Fault.BAD_GATEWAY, times=1)
    await world.submit_survey("/csat 1820000000000000011")
    return await world.wait_for_dm("may not have arrived")


async def test_a_low_rating_whose_closing_is_committed_as_the_connection_breaks_is_closed(
    world: World, proxy: SilentProxy, alert: Message
) -> None:
    proxy.cut_after(b"UPDATE follow_ups", COMMIT)
    result = await close(world, alert)

    assert result.outcome is ActionOutcome.CLOSED
    assert closed_by(world) == [(fixtures.CLEO, NOTE)]


async def test_a_low_rating_is_not_said_to_be_open_if_we_can_not_tell_and_is_closed_once(
    world: World, proxy: SilentProxy, alert: Message
) -> None:
    proxy.stop_after(b"UPDATE follow_ups", COMMIT)
    result = await close(world, alert)

    assert "We can't tell whether this was saved. Send it again" in result.errors["note"]
    proxy.resume()
    assert (await world.workspace.submit_view(fixtures.CLEO)).outcome is ActionOutcome.CLOSED
    assert closed_by(world) == [(fixtures.CLEO, NOTE)]


async def test_a_low_rating_that_is_surely_open_is_said_not_to_be_saved(
    world: World, proxy: SilentProxy, alert: Message
) -> None:
    proxy.stop_after(b"UPDATE follow_ups")
    result = await close(world, alert)

    assert "Not saved" in result.errors["note"]
    assert closed_by(world) == [(None, None)]


async def test_a_low_rating_is_assigned_if_the_connection_breaks_during_the_commit(
    world: World, proxy: SilentProxy, alert: Message
) -> None:
    proxy.cut_after(b"UPDATE follow_ups", COMMIT)
    await click(world, "take_on_low_rating", alert, fixtures.CLEO)
    await world.advance(minutes=2)
    await world.wait_for_message("Assigned to", fixtures.LEADS, fixtures.CLEO)

    assert world.find_message("Something went wrong", fixtures.LEADS, fixtures.CLEO) is None


async def test_a_survey_is_canceled_if_the_connection_breaks_during_the_commit(
    world: World, proxy: SilentProxy
) -> None:
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await world.submit_survey("/csat 1820000000000000011")
    message = await world.wait_for_waiting_message()
    proxy.cut_after(b"UPDATE surveys SET state", COMMIT)
    await click(world, "cancel_survey", message)

    await world.wait_for_dm("Canceled: the survey to")


async def test_an_arrival_is_noted_if_the_connection_breaks_during_the_commit(
    world: World, proxy: SilentProxy
) -> None:
    message = await send_uncertain(world)
    proxy.cut_after(b"UPDATE surveys SET state", COMMIT)
    await click(world, "survey_arrived", message)
    await wait_for_response(world, "Noted: the survey to")
    await world.advance(minutes=2)

    await world.wait_for_message("sent a survey")


async def test_a_survey_is_sent_again_at_once_if_the_connection_breaks_during_the_commit(
    world: World, proxy: SilentProxy
) -> None:
    message = await send_uncertain(world)
    proxy.cut_after(b"INSERT INTO surveys", COMMIT)
    await click(world, "send_survey_again", message)
    await wait_for_response(world, "You chose to send the survey to")
    await world.wait_for_message("sent a survey")

    assert world.states() == ["refused", "sent"]


async def test_who_presses_a_button_reads_that_we_can_not_tell_and_can_press_it_again(
    world: World, proxy: SilentProxy
) -> None:
    message = await send_uncertain(world)
    proxy.stop_after(b"UPDATE surveys SET state", COMMIT)
    await click(world, "survey_arrived", message)
    reply = visible_text(await world.wait_for_dm("We can't tell whether this was done."))
    proxy.resume()
    await click(world, "survey_arrived", message)
    await wait_for_response(world, "Noted: the survey to")

    assert "Try again in a minute" in reply
    assert world.states() == ["sent"]

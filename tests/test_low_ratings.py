"""A low rating: who is told of it, who sees it, and who looks after it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from csat.db import follow_ups
from csat.db.database import Database
from sandbox.slack import Delivery, Message, View, fixtures
from tests.databases import KINDS, Databases
from tests.lows import ALERT, COMMENT, SUPERVISED, alert, answer, ask
from tests.world import World, living, said

SHOW, TAKE_ON, CLOSE = "show_low_rating", "take_on_low_rating", "close_low_rating"
NOTE = "We called them. SENTINEL was right."


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    """The app with a supervisor."""
    async with living(tmp_path, **SUPERVISED) as world:
        yield world


@pytest.fixture(name="any_world", params=KINDS)
async def _any_world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The same on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with living(tmp_path, database_url=url, **SUPERVISED) as world:
        yield world


async def press(world: World, action_id: str, message: Message, user: str = fixtures.CLEO) -> None:
    await world.workspace.click(user, action_id, channel=message.channel, ts=message.ts)


async def opened(world: World, action_id: str, message: Message, user: str = fixtures.CLEO) -> View:
    """Press a button and return the modal that opens."""
    await press(world, action_id, message, user)
    return await world.form(user)


async def close(world: World, message: Message, note: str = NOTE, user: str = fixtures.CLEO) -> None:
    await opened(world, CLOSE, message, user)
    await world.type_in(user, note=note)
    await world.workspace.submit_view(user)


def now(world: World, message: Message) -> str:
    """Return what the alert says by now."""
    return said(world.workspace.get_message(message.channel, message.ts))


def buttons(world: World, message: Message) -> list[str]:
    blocks = world.workspace.get_message(message.channel, message.ts).blocks
    return [
        button["action_id"]
        for block in blocks
        for button in block.get("elements", [])
        if "action_id" in button
    ]


def newest(world: World, words: str) -> Delivery:
    """Return the newest delivery with these words in it."""
    return next(one for one in reversed(world.workspace.deliveries) if words in str(one.payload))


async def forge(world: World, delivery: Delivery, **changes: Any) -> Delivery:
    """Deliver once more, changed, as if Slack had sent it."""
    return await world.workspace.redeliver(replace(delivery, payload={**delivery.payload, **changes}))


def notes(world: World) -> list[Any]:
    return world.database("select taken_by, closed_by, note from follow_ups")


async def test_the_results_channel_is_told_that_there_is_one(world: World) -> None:
    told = await alert(world)

    for words in (
        "A customer gave a low rating.",
        "CSAT · ",
        "External ID: ticket_5555",
        "Nobody has taken it on",
    ):
        assert words in said(told)
    assert "gave a low rating" in told.text
    assert "ticket_5555" in told.text
    assert "/archives/" in str(told.blocks)
    assert buttons(world, told) == [SHOW, TAKE_ON, CLOSE]


async def test_nothing_that_slack_is_told_beside_the_modal_holds_the_answer(world: World) -> None:
    told = await alert(world)
    await press(world, TAKE_ON, told)
    await close(world, told)
    await world.until(lambda: "Closed by" in now(world, told))

    assert len({call.method for call in world.workspace.api_calls} & {"chat.postMessage", "chat.update"}) == 2
    for call in world.workspace.api_calls:
        assert "SENTINEL" not in str(call.args)
        assert "Rating" not in str(call.args)


async def test_a_supervisor_is_shown_the_answer_and_that_is_noted(any_world: World) -> None:
    shown = said((await opened(any_world, SHOW, await alert(any_world))).blocks)

    assert "Rating: 1 on a scale from 1 to 5" in shown
    assert "SENTINEL <!channel> Nobody helped me.\nTwice!" in shown
    assert "\u202e" not in shown
    assert f"<@{fixtures.ADA}> asked @mira_k" in shown
    assert "Nobody has taken it on" in shown
    assert any_world.database("select viewer, action, detail from audit") == [
        (fixtures.CLEO, "show", "survey 1")
    ]


@pytest.mark.parametrize("action", [SHOW, TAKE_ON, CLOSE])
async def test_nobody_else_gets_anywhere(world: World, action: str) -> None:
    told = await alert(world)
    await press(world, action, told, fixtures.ADA)
    refusal = await world.message("Only supervisors", fixtures.LEADS, fixtures.ADA)

    assert refusal.visible_to == fixtures.ADA
    assert world.workspace.current_view(fixtures.ADA) is None
    assert notes(world) == [(None, None, None)]
    assert world.database("select * from audit") == []


@pytest.mark.parametrize("action", [SHOW, TAKE_ON, CLOSE])
async def test_a_supervisor_does_not_see_the_answer_to_their_own_survey(world: World, action: str) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    await answer(world, await ask(world, user=fixtures.CLEO), 2)
    told = await world.message(ALERT, fixtures.LEADS, fixtures.CLEO)
    await press(world, action, told)
    await world.message("You asked for this survey", fixtures.LEADS, fixtures.CLEO)

    assert world.workspace.current_view(fixtures.CLEO) is None
    assert notes(world) == [(None, None, None)]
    assert world.database("select * from audit") == []


@pytest.mark.parametrize("trouble", ["503", "ratelimited", "user_not_found"])
async def test_where_slack_can_not_tell_who_presses_the_answer_is_no(world: World, trouble: str) -> None:
    told = await alert(world)
    world.workspace.faults.fail("users.info", trouble, times=5)
    await press(world, SHOW, told)
    await world.message("Only supervisors", fixtures.LEADS, fixtures.CLEO)

    assert world.workspace.current_view(fixtures.CLEO) is None


async def test_where_slack_does_not_open_the_answer_the_person_is_told_to_try_again(world: World) -> None:
    told = await alert(world)
    world.workspace.faults.fail("views.open", "expired_trigger_id")
    await press(world, SHOW, told)
    await world.message(
        "open the window. Nothing was sent or changed: try again.", fixtures.LEADS, fixtures.CLEO
    )


async def test_it_is_taken_on_and_closed_and_the_message_follows(any_world: World) -> None:
    told = await alert(any_world)
    await press(any_world, TAKE_ON, told)
    await any_world.until(lambda: f"Taken on by <@{fixtures.CLEO}>" in now(any_world, told))
    assert buttons(any_world, told) == [SHOW, CLOSE]

    await close(any_world, told)
    await any_world.until(lambda: f"Closed by <@{fixtures.CLEO}>" in now(any_world, told))
    assert buttons(any_world, told) == [SHOW]
    assert notes(any_world) == [(fixtures.CLEO, fixtures.CLEO, NOTE)]
    assert NOTE in said((await opened(any_world, SHOW, told)).blocks)


async def test_what_is_pressed_again_changes_nothing(any_world: World) -> None:
    told = await alert(any_world)
    await press(any_world, TAKE_ON, told)
    await any_world.until(lambda: "Taken on by" in now(any_world, told))
    first = any_world.database("select taken_by, taken_at from follow_ups")
    any_world.clock.advance(minutes=5)
    await any_world.workspace.redeliver(newest(any_world, TAKE_ON))

    assert any_world.database("select taken_by, taken_at from follow_ups") == first


@pytest.mark.parametrize("action", [SHOW, TAKE_ON, CLOSE])
async def test_a_forged_button_gets_a_clear_answer(world: World, action: str) -> None:
    told = await alert(world)
    await press(world, action, told)
    taken = [(fixtures.CLEO, None, None)]
    await world.until(lambda: bool(world.workspace.current_view(fixtures.CLEO)) or notes(world) == taken)
    before = notes(world)
    pressed = newest(world, action)
    values = ["999", "0", "", None, "x", "-1", "1 or 1=1", "9" * 30, "\u0661", "1.0"]
    for number, value in enumerate(values, 1):
        await forge(world, pressed, actions=[{**pressed.payload["actions"][0], "value": value}])
        await world.eventually(
            lambda number=number: (
                world.shown("not among the low ratings", fixtures.LEADS, fixtures.CLEO) == number
            )  # type: ignore[misc]
        )

    assert notes(world) == before


async def test_a_survey_of_another_workspace_does_not_exist_here(world: World) -> None:
    told = await alert(world)
    await press(world, TAKE_ON, told)
    await world.until(lambda: "Taken on by" in now(world, told))
    await forge(world, newest(world, TAKE_ON), team={"id": fixtures.OTHER_TEAM})

    await world.message("not among the low ratings", fixtures.LEADS, fixtures.CLEO)


async def test_a_rating_that_is_not_low_alarms_nobody(world: World) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    await answer(world, await ask(world), 3)
    await answer(world, await ask(world, "/csat nps @TomInTransit"), 7)
    await answer(world, await ask(world, "/csat nps @sofie_l"), 6)
    told = await world.message(ALERT, fixtures.LEADS, fixtures.CLEO)

    assert "NPS · " in said(told)
    assert world.shown(ALERT, fixtures.LEADS, fixtures.CLEO) == 1


async def test_without_a_note_it_is_not_closed(world: World) -> None:
    told = await alert(world)
    await close(world, told, " \n\u0000 ")
    form = world.workspace.current_view(fixtures.CLEO)

    assert form
    assert form.errors == {"note": "Write what was done about it."}
    assert notes(world) == [(None, None, None)]


async def test_a_note_keeps_its_lines_and_loses_what_nobody_sees(any_world: World) -> None:
    await close(any_world, await alert(any_world), "One.\n\x00Two. <!channel>\x07")
    await any_world.until(lambda: notes(any_world) == [(None, fixtures.CLEO, "One.\nTwo. <!channel>")])


async def test_what_somebody_closed_meanwhile_is_not_closed_again(world: World) -> None:
    told = await alert(world)
    await opened(world, CLOSE, told)
    await world.type_in(fixtures.CLEO, note=NOTE)
    await world.workspace.submit_view(fixtures.CLEO)
    await world.until(lambda: "Closed by" in now(world, told))
    submitted = next(
        one for one in reversed(world.workspace.deliveries) if one.payload["type"] == "view_submission"
    )
    values = {"note": {"note": {"type": "plain_text_input", "value": "Another note"}}}
    view = {**submitted.payload["view"], "state": {"values": values}}
    again = await forge(world, submitted, view=view)

    assert "this was done already" in str(again.response)
    assert notes(world) == [(None, fixtures.CLEO, NOTE)]


async def test_whoever_left_the_group_of_supervisors_can_do_nothing_more(tmp_path: Path) -> None:
    async with living(tmp_path, **{**SUPERVISED, "csat_supervisors": {fixtures.AGENTS}}) as world:
        told = await alert(world)
        await opened(world, CLOSE, told)
        await world.type_in(fixtures.CLEO, note=NOTE)
        await world.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.ADA, fixtures.BEN])
        await world.workspace.submit_view(fixtures.CLEO)
        form = await world.form(fixtures.CLEO)
        assert "Only supervisors" in said(form.blocks)
        for action in (SHOW, TAKE_ON):
            await press(world, action, told)

        await world.eventually(lambda: world.shown("Only supervisors", fixtures.LEADS, fixtures.CLEO) == 2)
        assert notes(world) == [(None, None, None)]


async def test_it_is_told_once_slack_has_time_again(world: World) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    feedback = await ask(world)
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=30)
    await answer(world, feedback, 1)
    await world.until(
        lambda: world.database("select attempts from outbox where kind = 'low_rating'") == [(1,)]
    )
    world.clock.advance(seconds=40)

    await world.message(ALERT, fixtures.LEADS, fixtures.CLEO)


async def test_while_slack_takes_no_changes_the_message_follows_later(world: World) -> None:
    told = await alert(world)
    await world.until(lambda: world.database("select 1 from outbox where due_at is not null") == [])
    world.workspace.faults.fail("chat.update", "ratelimited", retry_after=30)
    await press(world, TAKE_ON, told)
    await world.until(
        lambda: world.database("select attempts from outbox where kind = 'follow_up'") == [(1,)]
    )
    await close(world, told)
    await world.until(lambda: "Closed by" in now(world, told))

    assert "Taken on by" in now(world, told)


async def test_where_the_app_may_not_post_it_says_what_to_do(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await answer(world, await ask(world), 1)
    await world.until(
        lambda: world.database("select due_at from outbox where kind = 'low_rating'") == [(None,)]
    )

    assert "CSAT_RESULTS_CHANNEL (channel_not_found): invite it there" in caplog.text
    assert "SENTINEL" not in caplog.text
    assert COMMENT not in caplog.text


async def step(world: World, work: Callable[..., Any], *given: Any) -> None:
    """Do something in the ledger as another instance would."""
    with contextlib.closing(Database(world.database_url)) as database:
        await database.run(work, *given)


async def test_what_is_taken_on_before_the_channel_was_told_is_told_as_it_stands(world: World) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    feedback = await ask(world)
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=30)
    await answer(world, feedback, 1)
    await world.until(
        lambda: world.database("select attempts from outbox where kind = 'low_rating'") == [(1,)]
    )
    await step(world, follow_ups.take, 1, fixtures.TEAM, fixtures.CLEO, world.clock())
    world.clock.advance(minutes=2)
    told = await world.message(ALERT, fixtures.LEADS, fixtures.CLEO)

    assert f"Taken on by <@{fixtures.CLEO}>" in said(told)
    waiting = "select 1 from outbox where kind = 'follow_up' and sent_at is null"
    world.clock.advance(minutes=20)
    await world.until(lambda: world.database(waiting) == [])


async def test_what_was_not_low_after_all_is_said_where_it_was_told(world: World) -> None:
    told = await alert(world)
    await world.until(
        lambda: bool(world.database("select 1 from outbox where kind = 'low_rating' and ts <> ''"))
    )
    await step(world, follow_ups.withdraw, 1, world.clock())
    world.clock.advance(minutes=2)
    await world.until(lambda: "seemed low was not" in now(world, told))

    assert buttons(world, told) == []


async def test_without_a_results_channel_nobody_is_alarmed_and_it_is_open_all_the_same(
    tmp_path: Path,
) -> None:
    async with living(tmp_path, csat_supervisors={fixtures.CLEO}) as world:
        await answer(world, await ask(world), 1)
        await world.until(
            lambda: world.database("select due_at from outbox where kind = 'low_rating'") == [(None,)]
        )

        assert notes(world) == [(None, None, None)]
        assert not [call for call in world.workspace.api_calls if ALERT in str(call.args)]

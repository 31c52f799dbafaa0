"""A low rating: who is told of it, who sees it, and who looks after it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from csat.db import follow_ups, responses, tables
from csat.db.database import Database
from csat.db.limits import recipient_key
from csat.db.outbox import NotificationKind
from csat.surveys.questions import Metric
from csat.surveys.responses import Comment, Rating, Response, Update
from csat.surveys.survey import Receipt
from sandbox.slack import Delivery, Message, View, fixtures
from sandbox.x import Feedback
from tests.databases import KINDS, Databases
from tests.factories import SUPERVISED
from tests.world import LOW_RATING_ALERT, World, running_world, visible_text

SHOW, TAKE_ON, CLOSE = "show_low_rating", "take_on_low_rating", "close_low_rating"
COMMENT = "SENTINEL <!channel> Nobody helped me.\nTwice! \u202e*b* <https://evil.example|x>"
NOTE = "We called them. SENTINEL was right."


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    """The app with a supervisor."""
    async with running_world(tmp_path, **SUPERVISED) as world:
        yield world


@pytest.fixture(name="any_world", params=KINDS)
async def _any_world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The same on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, database_url=url, **SUPERVISED) as world:
        yield world


async def answer(world: World, feedback: Feedback, score: int, comment: str | None = COMMENT) -> None:
    """Answer a survey, and store the response as if X had pushed it."""
    given = world.x.respond(feedback.id, score, comment)
    assert given.score
    receipt = Receipt(
        id=given.id,
        dm_id=given.dm_id,
        to_user_id=given.to_user_id,
        external_id=given.external_id or "",
        question_variant_id=int(given.question_variant_id),
        created_at=given.created_at,
        updated_at=given.updated_at,
    )
    told = Update(
        receipt=receipt,
        account=given.from_user_id,
        metric=Metric(given.type),
        response=Response(
            rating=Rating(value=given.score.value, given_at=given.score.at),
            comment=Comment(text=given.text.value, given_at=given.text.at) if given.text else None,
        ),
    )
    key = recipient_key(world.settings.x_api_secret.get_secret_value().encode(), given.to_user_id)
    with contextlib.closing(Database(world.database_url)) as database:
        assert await database.run(responses.take, told, key, world.clock()) is responses.Taken.JOINED


async def alert(world: World) -> Message:
    """Send a survey as Ada, have it rated low, and return the alert in the results channel."""
    world.workspace.invite_bot(fixtures.LEADS)
    await answer(world, await world.send_survey(external_id="ticket_5555"), 1)
    return await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)


async def press(world: World, action_id: str, message: Message, user: str = fixtures.CLEO) -> None:
    await world.workspace.click(user, action_id, channel=message.channel, ts=message.ts)


async def opened(world: World, action_id: str, message: Message, user: str = fixtures.CLEO) -> View:
    """Press a button and return the modal that opens."""
    await press(world, action_id, message, user)
    return await world.wait_for_form(user)


async def close(world: World, message: Message, note: str = NOTE, user: str = fixtures.CLEO) -> None:
    await opened(world, CLOSE, message, user)
    await world.fill_in(user, note=note)
    await world.workspace.submit_view(user)


def now(world: World, message: Message) -> str:
    """Return what the alert says by now."""
    return visible_text(world.workspace.get_message(message.channel, message.ts))


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
    return world.rows(tables.follow_ups.c.taken_by, tables.follow_ups.c.closed_by, tables.follow_ups.c.note)


async def test_the_results_channel_is_told_that_there_is_one(world: World) -> None:
    told = await alert(world)

    for words in (
        "A customer gave a low rating.",
        "CSAT · ",
        "External ID: ticket_5555",
        "Nobody has taken it on",
    ):
        assert words in visible_text(told)
    assert "gave a low rating" in told.text
    assert "ticket_5555" in told.text
    assert "/archives/" in str(told.blocks)
    assert buttons(world, told) == [SHOW, TAKE_ON, CLOSE]


async def test_nothing_that_slack_is_told_beside_the_modal_holds_the_answer(world: World) -> None:
    told = await alert(world)
    await press(world, TAKE_ON, told)
    await close(world, told)
    await world.wait_until(lambda: "Closed by" in now(world, told))

    assert len({call.method for call in world.workspace.api_calls} & {"chat.postMessage", "chat.update"}) == 2
    for call in world.workspace.api_calls:
        assert "SENTINEL" not in str(call.args)
        assert "Rating" not in str(call.args)


async def test_a_supervisor_is_shown_the_answer_and_that_is_noted(any_world: World) -> None:
    shown = visible_text((await opened(any_world, SHOW, await alert(any_world))).blocks)

    assert "Rating: 1 on a scale from 1 to 5" in shown
    assert "SENTINEL <!channel> Nobody helped me.\nTwice!" in shown
    assert "\u202e" not in shown
    assert f"<@{fixtures.ADA}> asked @mira_k" in shown
    assert "Nobody has taken it on" in shown
    assert any_world.rows(tables.audit.c.viewer, tables.audit.c.action, tables.audit.c.detail) == [
        (fixtures.CLEO, "show", "survey 1")
    ]


@pytest.mark.parametrize("action", [SHOW, TAKE_ON, CLOSE])
async def test_nobody_else_gets_anywhere(world: World, action: str) -> None:
    told = await alert(world)
    await press(world, action, told, fixtures.ADA)
    refusal = await world.wait_for_message("Only supervisors", fixtures.LEADS, fixtures.ADA)

    assert refusal.visible_to == fixtures.ADA
    assert world.workspace.current_view(fixtures.ADA) is None
    assert notes(world) == [(None, None, None)]
    assert world.rows(tables.audit) == []


@pytest.mark.parametrize("action", [SHOW, TAKE_ON, CLOSE])
async def test_a_supervisor_does_not_see_the_answer_to_their_own_survey(world: World, action: str) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    await answer(world, await world.send_survey(user=fixtures.CLEO), 2)
    told = await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
    await press(world, action, told)
    await world.wait_for_message("You asked for this survey", fixtures.LEADS, fixtures.CLEO)

    assert world.workspace.current_view(fixtures.CLEO) is None
    assert notes(world) == [(None, None, None)]
    assert world.rows(tables.audit) == []


@pytest.mark.parametrize("trouble", ["503", "ratelimited", "user_not_found"])
async def test_where_slack_can_not_tell_who_presses_the_answer_is_no(world: World, trouble: str) -> None:
    told = await alert(world)
    world.workspace.faults.fail("users.info", trouble, times=5)
    await press(world, SHOW, told)
    await world.wait_for_message("Only supervisors", fixtures.LEADS, fixtures.CLEO)

    assert world.workspace.current_view(fixtures.CLEO) is None


async def test_where_slack_does_not_open_the_answer_the_person_is_told_to_try_again(world: World) -> None:
    told = await alert(world)
    world.workspace.faults.fail("views.open", "expired_trigger_id")
    await press(world, SHOW, told)
    await world.wait_for_message(
        "open the window. Nothing was sent or changed: try again.", fixtures.LEADS, fixtures.CLEO
    )


async def test_it_is_taken_on_and_closed_and_the_message_follows(any_world: World) -> None:
    told = await alert(any_world)
    await press(any_world, TAKE_ON, told)
    await any_world.wait_until(lambda: f"Taken on by <@{fixtures.CLEO}>" in now(any_world, told))
    assert buttons(any_world, told) == [SHOW, CLOSE]

    await close(any_world, told)
    await any_world.wait_until(lambda: f"Closed by <@{fixtures.CLEO}>" in now(any_world, told))
    assert buttons(any_world, told) == [SHOW]
    assert notes(any_world) == [(fixtures.CLEO, fixtures.CLEO, NOTE)]
    assert NOTE in visible_text((await opened(any_world, SHOW, told)).blocks)


async def test_what_is_pressed_again_changes_nothing(any_world: World) -> None:
    told = await alert(any_world)
    await press(any_world, TAKE_ON, told)
    await any_world.wait_until(lambda: "Taken on by" in now(any_world, told))
    first = any_world.rows(tables.follow_ups.c.taken_by, tables.follow_ups.c.taken_at)
    any_world.clock.advance(minutes=5)
    await any_world.workspace.redeliver(newest(any_world, TAKE_ON))

    assert any_world.rows(tables.follow_ups.c.taken_by, tables.follow_ups.c.taken_at) == first


@pytest.mark.parametrize("action", [SHOW, TAKE_ON, CLOSE])
async def test_a_forged_button_gets_a_clear_answer(world: World, action: str) -> None:
    told = await alert(world)
    await press(world, action, told)
    taken = [(fixtures.CLEO, None, None)]
    await world.wait_until(lambda: bool(world.workspace.current_view(fixtures.CLEO)) or notes(world) == taken)
    before = notes(world)
    pressed = newest(world, action)
    values = ["999", "0", "", None, "x", "-1", "1 or 1=1", "9" * 30, "\u0661", "1.0"]
    for number, value in enumerate(values, 1):
        await forge(world, pressed, actions=[{**pressed.payload["actions"][0], "value": value}])
        await world.wait_until(
            lambda number=number: (
                world.count_messages("not among the low ratings", fixtures.LEADS, fixtures.CLEO) == number
            )  # type: ignore[misc]
        )

    assert notes(world) == before


async def test_a_survey_of_another_workspace_does_not_exist_here(world: World) -> None:
    told = await alert(world)
    await press(world, TAKE_ON, told)
    await world.wait_until(lambda: "Taken on by" in now(world, told))
    await forge(world, newest(world, TAKE_ON), team={"id": fixtures.OTHER_TEAM})

    await world.wait_for_message("not among the low ratings", fixtures.LEADS, fixtures.CLEO)


async def test_a_rating_that_is_not_low_alarms_nobody(world: World) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    await answer(world, await world.send_survey(), 3)
    await answer(world, await world.send_survey("/csat nps @TomInTransit"), 7)
    await answer(world, await world.send_survey("/csat nps @sofie_l"), 6)
    told = await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)

    assert "NPS · " in visible_text(told)
    assert world.count_messages(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO) == 1


async def test_without_a_note_it_is_not_closed(world: World) -> None:
    told = await alert(world)
    await close(world, told, " \n\u0000 ")
    form = world.workspace.current_view(fixtures.CLEO)

    assert form
    assert form.errors == {"note": "Write what was done about it."}
    assert notes(world) == [(None, None, None)]


async def test_a_note_keeps_its_lines_and_loses_what_nobody_sees(any_world: World) -> None:
    await close(any_world, await alert(any_world), "One.\n\x00Two. <!channel>\x07")
    await any_world.wait_until(lambda: notes(any_world) == [(None, fixtures.CLEO, "One.\nTwo. <!channel>")])


async def test_what_somebody_closed_meanwhile_is_not_closed_again(world: World) -> None:
    told = await alert(world)
    await opened(world, CLOSE, told)
    await world.fill_in(fixtures.CLEO, note=NOTE)
    await world.workspace.submit_view(fixtures.CLEO)
    await world.wait_until(lambda: "Closed by" in now(world, told))
    submitted = next(
        one for one in reversed(world.workspace.deliveries) if one.payload["type"] == "view_submission"
    )
    values = {"note": {"note": {"type": "plain_text_input", "value": "Another note"}}}
    view = {**submitted.payload["view"], "state": {"values": values}}
    again = await forge(world, submitted, view=view)

    assert "this was done already" in str(again.response)
    assert notes(world) == [(None, fixtures.CLEO, NOTE)]


async def test_whoever_left_the_group_of_supervisors_can_do_nothing_more(tmp_path: Path) -> None:
    async with running_world(tmp_path, **{**SUPERVISED, "csat_supervisors": {fixtures.AGENTS}}) as world:
        told = await alert(world)
        await opened(world, CLOSE, told)
        await world.fill_in(fixtures.CLEO, note=NOTE)
        await world.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.ADA, fixtures.BEN])
        await world.workspace.submit_view(fixtures.CLEO)
        form = await world.wait_for_form(fixtures.CLEO)
        assert "Only supervisors" in visible_text(form.blocks)
        for action in (SHOW, TAKE_ON):
            await press(world, action, told)

        await world.wait_until(
            lambda: world.count_messages("Only supervisors", fixtures.LEADS, fixtures.CLEO) == 2
        )
        assert notes(world) == [(None, None, None)]


async def test_it_is_told_once_slack_has_time_again(world: World) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    feedback = await world.send_survey()
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=30)
    await answer(world, feedback, 1)
    await world.wait_until(lambda: world.attempts("low_rating") == [1])
    world.clock.advance(seconds=40)

    await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)


async def test_while_slack_takes_no_changes_the_message_follows_later(world: World) -> None:
    told = await alert(world)
    await world.wait_until(world.is_outbox_empty)
    world.workspace.faults.fail("chat.update", "ratelimited", retry_after=30)
    await press(world, TAKE_ON, told)
    await world.wait_until(lambda: world.attempts("follow_up") == [1])
    await close(world, told)
    await world.wait_until(lambda: "Closed by" in now(world, told))

    assert "Taken on by" in now(world, told)


async def test_where_the_app_may_not_post_it_says_what_to_do(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await answer(world, await world.send_survey(), 1)
    await world.wait_until(world.is_outbox_empty)

    assert "CSAT_RESULTS_CHANNEL (channel_not_found): invite it there" in caplog.text
    assert "SENTINEL" not in caplog.text
    assert COMMENT not in caplog.text


async def step(world: World, work: Callable[..., Any], *given: Any) -> None:
    """Do something in the ledger as another instance would."""
    with contextlib.closing(Database(world.database_url)) as database:
        await database.run(work, *given)


async def test_what_is_taken_on_before_the_channel_was_told_is_told_as_it_stands(world: World) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    feedback = await world.send_survey()
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=30)
    await answer(world, feedback, 1)
    await world.wait_until(lambda: world.attempts("low_rating") == [1])
    await step(world, follow_ups.take, 1, fixtures.TEAM, fixtures.CLEO, world.clock())
    world.clock.advance(minutes=2)
    told = await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)

    assert f"Taken on by <@{fixtures.CLEO}>" in visible_text(told)
    world.clock.advance(minutes=20)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.FOLLOW_UP) == 1)


async def test_what_was_not_low_after_all_is_said_where_it_was_told(world: World) -> None:
    told = await alert(world)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.LOW_RATING))
    await step(world, follow_ups.withdraw, 1, world.clock())
    world.clock.advance(minutes=2)
    await world.wait_until(lambda: "seemed low was not" in now(world, told))

    assert buttons(world, told) == []


async def test_without_a_results_channel_nobody_is_alarmed_and_it_is_open_all_the_same(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, csat_supervisors={fixtures.CLEO}) as world:
        await answer(world, await world.send_survey(), 1)
        await world.wait_until(world.is_outbox_empty)

        assert notes(world) == [(None, None, None)]
        assert not [call for call in world.workspace.api_calls if LOW_RATING_ALERT in str(call.args)]

"""Low ratings: the alert, revealing the answer to supervisors, and the follow-up."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from csat.db import follow_ups, tables
from csat.db.outbox import NotificationKind
from sandbox.slack import Delivery, Message, View, fixtures
from tests.databases import SLOW_KINDS, Databases
from tests.factories import SUPERVISED
from tests.low_rating_kit import COMMENT, alert_text, answer, trigger_alert
from tests.world import LOW_RATING_ALERT, World, running_world, visible_text

SHOW, TAKE_ON, CLOSE = "show_low_rating", "take_on_low_rating", "close_low_rating"
TAKE_OVER, REOPEN = "take_over_low_rating", "reopen_low_rating"
NOTE = "We called them. SENTINEL was right."


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    """The app with a supervisor."""
    async with running_world(tmp_path, **SUPERVISED) as world:
        yield world


@pytest.fixture(name="any_world", params=SLOW_KINDS)
async def _any_world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with a supervisor, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, database_url=url, **SUPERVISED) as world:
        yield world


async def click(world: World, action_id: str, message: Message, user: str = fixtures.CLEO) -> None:
    await world.workspace.click(user, action_id, channel=message.channel, ts=message.ts)


async def open_modal(world: World, action_id: str, message: Message, user: str = fixtures.CLEO) -> View:
    """Click a button and return the modal that opens."""
    await click(world, action_id, message, user)
    return await world.wait_for_form(user)


async def submit_note(world: World, message: Message, note: str = NOTE, user: str = fixtures.CLEO) -> None:
    await open_modal(world, CLOSE, message, user)
    await world.fill_in(user, note=note)
    await world.workspace.submit_view(user)


def button_ids(world: World, message: Message) -> list[str]:
    blocks = world.workspace.get_message(message.channel, message.ts).blocks
    return [
        button["action_id"]
        for block in blocks
        for button in block.get("elements", [])
        if "action_id" in button
    ]


def newest_delivery(world: World, text: str) -> Delivery:
    """Return the newest delivery that contains `text`."""
    return next(
        delivery for delivery in reversed(world.workspace.deliveries) if text in str(delivery.payload)
    )


async def redeliver(world: World, delivery: Delivery, **changes: Any) -> Delivery:
    """Redeliver a changed payload as if Slack had sent it."""
    return await world.workspace.redeliver(replace(delivery, payload={**delivery.payload, **changes}))


def raise_rating(connection: Connection, now: datetime) -> None:
    connection.execute(update(tables.surveys).values(rating=5))
    follow_ups.withdraw(connection, 1, now)


def date_back_by_a_week(connection: Connection, now: datetime) -> None:
    connection.execute(update(tables.follow_ups).values(opened_at=now - timedelta(days=7)))


def let_cleo_have_asked(connection: Connection) -> None:
    connection.execute(update(tables.surveys).values(requester=fixtures.CLEO))


def follow_up_rows(world: World) -> list[Any]:
    return world.rows(tables.follow_ups.c.taken_by, tables.follow_ups.c.closed_by, tables.follow_ups.c.note)


async def test_a_low_rating_is_announced_in_the_results_channel(world: World) -> None:
    message = await trigger_alert(world)

    for text in (
        "A customer gave a low rating.",
        "CSAT · ",
        "Case number: ticket_5555",
        "Unassigned.",
    ):
        assert text in visible_text(message)
    assert "gave a low rating" in message.text
    assert "ticket_5555" in message.text
    assert "/archives/" in str(message.blocks)
    assert button_ids(world, message) == [SHOW, TAKE_ON, CLOSE]


async def test_only_the_modal_contains_the_answer(world: World) -> None:
    message = await trigger_alert(world)
    await click(world, TAKE_ON, message)
    await submit_note(world, message)
    await world.wait_until(lambda: "Closed by" in alert_text(world, message))

    assert len({call.method for call in world.workspace.api_calls} & {"chat.postMessage", "chat.update"}) == 2
    for call in world.workspace.api_calls:
        assert "SENTINEL" not in str(call.args)
        assert "Rating" not in str(call.args)


async def test_revealing_the_answer_to_a_supervisor_is_audited(any_world: World) -> None:
    modal = visible_text((await open_modal(any_world, SHOW, await trigger_alert(any_world))).blocks)

    assert "Rating: 1 on a scale from 1 to 5" in modal
    assert "SENTINEL <!channel> Nobody helped me.\nTwice!" in modal
    assert "\u202e" not in modal
    assert f"<@{fixtures.ADA}> asked @mira_k" in modal
    assert "Unassigned." in modal
    assert any_world.rows(tables.audit.c.viewer, tables.audit.c.action, tables.audit.c.detail) == [
        (fixtures.CLEO, "show", "survey 1")
    ]


@pytest.mark.parametrize("action", [SHOW, TAKE_ON, CLOSE])
async def test_agents_cannot_use_the_buttons(world: World, action: str) -> None:
    message = await trigger_alert(world)
    await click(world, action, message, fixtures.ADA)
    refusal = await world.wait_for_message("Only supervisors", fixtures.LEADS, fixtures.ADA)

    assert refusal.visible_to == fixtures.ADA
    assert world.workspace.current_view(fixtures.ADA) is None
    assert follow_up_rows(world) == [(None, None, None)]
    assert world.rows(tables.audit) == []


@pytest.mark.parametrize("action", [SHOW, TAKE_ON, CLOSE])
async def test_supervisors_cannot_see_answers_to_their_own_surveys(world: World, action: str) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    await answer(world, await world.send_survey(user=fixtures.CLEO), 2)
    message = await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
    await click(world, action, message)
    await world.wait_for_message("You asked for this survey", fixtures.LEADS, fixtures.CLEO)

    assert world.workspace.current_view(fixtures.CLEO) is None
    assert follow_up_rows(world) == [(None, None, None)]
    assert world.rows(tables.audit) == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [("503", "Slack is busy"), ("ratelimited", "Slack is busy"), ("user_not_found", "Only supervisors")],
)
async def test_access_is_denied_while_slack_cannot_confirm_the_user(
    world: World, error: str, expected: str
) -> None:
    message = await trigger_alert(world)
    world.workspace.faults.fail("users.info", error, times=5)
    await click(world, SHOW, message)
    await world.wait_for_message(expected, fixtures.LEADS, fixtures.CLEO)

    assert world.workspace.current_view(fixtures.CLEO) is None


async def test_a_modal_that_fails_to_open_is_reported_to_the_user(world: World) -> None:
    message = await trigger_alert(world)
    world.workspace.faults.fail("views.open", "expired_trigger_id")
    await click(world, SHOW, message)
    await world.wait_for_message(
        "open the form. Nothing was sent or changed. Try again.", fixtures.LEADS, fixtures.CLEO
    )


async def test_taking_and_closing_update_the_alert(any_world: World) -> None:
    message = await trigger_alert(any_world)
    await click(any_world, TAKE_ON, message)
    await any_world.wait_until(lambda: f"Assigned to <@{fixtures.CLEO}>" in alert_text(any_world, message))
    assert button_ids(any_world, message) == [SHOW, TAKE_OVER, CLOSE]

    await submit_note(any_world, message)
    await any_world.wait_until(lambda: f"Closed by <@{fixtures.CLEO}>" in alert_text(any_world, message))
    assert button_ids(any_world, message) == [SHOW, REOPEN]
    assert follow_up_rows(any_world) == [(fixtures.CLEO, fixtures.CLEO, NOTE)]
    assert NOTE in visible_text((await open_modal(any_world, SHOW, message)).blocks)


async def test_a_closed_low_rating_can_be_reopened_and_closed_again_with_both_notes(any_world: World) -> None:
    message = await trigger_alert(any_world)
    await submit_note(any_world, message)
    await any_world.wait_until(lambda: "Closed by" in alert_text(any_world, message))
    await click(any_world, REOPEN, message)
    reopened = f"Unassigned. Closed by <@{fixtures.CLEO}>, reopened by <@{fixtures.CLEO}>"
    await any_world.wait_until(lambda: reopened in alert_text(any_world, message))
    assert button_ids(any_world, message) == [SHOW, TAKE_ON, CLOSE]
    assert NOTE in visible_text((await open_modal(any_world, SHOW, message)).blocks)
    await any_world.workspace.close_view(fixtures.CLEO)

    await submit_note(any_world, message, "Now it is settled.")
    await any_world.wait_until(lambda: "reopened" not in alert_text(any_world, message))
    shown = visible_text((await open_modal(any_world, SHOW, message)).blocks)
    assert f"{NOTE}\n\nNow it is settled." in shown


async def test_a_supervisor_can_take_a_low_rating_over_from_another(tmp_path: Path) -> None:
    supervisors = {fixtures.CLEO, fixtures.BEN}
    async with running_world(tmp_path, **{**SUPERVISED, "csat_supervisors": supervisors}) as world:
        world.workspace.channels[fixtures.LEADS].members.add(fixtures.BEN)
        message = await trigger_alert(world)
        await click(world, TAKE_ON, message)
        await world.wait_until(lambda: f"Assigned to <@{fixtures.CLEO}>" in alert_text(world, message))
        await click(world, TAKE_OVER, message, fixtures.BEN)
        await world.wait_until(lambda: f"Assigned to <@{fixtures.BEN}>" in alert_text(world, message))
        await click(world, TAKE_OVER, message, fixtures.BEN)
        await world.wait_for_message("It's assigned to you already", fixtures.LEADS, fixtures.BEN)

        assert follow_up_rows(world) == [(fixtures.BEN, None, None)]


async def test_of_two_supervisors_who_assign_it_to_themselves_the_second_learns_who_has_it(
    tmp_path: Path,
) -> None:
    supervisors = {fixtures.CLEO, fixtures.BEN}
    async with running_world(tmp_path, **{**SUPERVISED, "csat_supervisors": supervisors}) as world:
        world.workspace.channels[fixtures.LEADS].members.add(fixtures.BEN)
        message = await trigger_alert(world)
        await click(world, TAKE_ON, message)
        await world.wait_until(lambda: follow_up_rows(world) == [(fixtures.CLEO, None, None)])
        taken = newest_delivery(world, TAKE_ON)
        await redeliver(world, taken, user={**taken.payload["user"], "id": fixtures.BEN})
        told = await world.wait_for_message("Somebody else is on it", fixtures.LEADS, fixtures.BEN)

        assert f"Assigned to <@{fixtures.CLEO}>" in visible_text(told)


async def test_a_repeated_click_changes_nothing(any_world: World) -> None:
    message = await trigger_alert(any_world)
    await click(any_world, TAKE_ON, message)
    await any_world.wait_until(lambda: "Assigned to" in alert_text(any_world, message))
    first = any_world.rows(tables.follow_ups.c.taken_by, tables.follow_ups.c.taken_at)
    await any_world.advance(minutes=5)
    await any_world.workspace.redeliver(newest_delivery(any_world, TAKE_ON))

    assert any_world.rows(tables.follow_ups.c.taken_by, tables.follow_ups.c.taken_at) == first


@pytest.mark.parametrize("action", [SHOW, TAKE_ON, CLOSE])
async def test_a_forged_button_value_is_rejected(world: World, action: str) -> None:
    message = await trigger_alert(world)
    await click(world, action, message)
    taken = [(fixtures.CLEO, None, None)]
    await world.wait_until(
        lambda: bool(world.workspace.current_view(fixtures.CLEO)) or follow_up_rows(world) == taken
    )
    before = follow_up_rows(world)
    delivery = newest_delivery(world, action)
    values = ["999", "0", "", None, "x", "-1", "1 or 1=1", "9" * 30, "\u0661", "1.0"]
    for number, value in enumerate(values, 1):
        await redeliver(world, delivery, actions=[{**delivery.payload["actions"][0], "value": value}])
        await world.wait_until(
            lambda number=number: (
                world.count_messages("This low rating is no longer on file", fixtures.LEADS, fixtures.CLEO)
                == number
            )  # type: ignore[misc]
        )

    assert follow_up_rows(world) == before


async def test_surveys_of_another_workspace_are_not_found(world: World) -> None:
    message = await trigger_alert(world)
    await click(world, TAKE_ON, message)
    await world.wait_until(lambda: "Assigned to" in alert_text(world, message))
    await redeliver(world, newest_delivery(world, TAKE_ON), team={"id": fixtures.OTHER_TEAM})

    await world.wait_for_message("This low rating is no longer on file", fixtures.LEADS, fixtures.CLEO)


@pytest.mark.parametrize(
    "team",
    [
        {"team": None, "user": {"id": fixtures.CLEO, "team_id": fixtures.TEAM}},
        {"team": None, "view": {"team_id": fixtures.TEAM}},
        {"team": None, "view": {"team_id": fixtures.OTHER_TEAM, "app_installed_team_id": fixtures.TEAM}},
    ],
)
async def test_in_an_organization_the_workspace_is_found_without_the_team(
    world: World, team: dict[str, Any]
) -> None:
    await open_modal(world, SHOW, await trigger_alert(world))
    await redeliver(world, newest_delivery(world, SHOW), **team)

    await world.wait_until(lambda: len(world.rows(tables.audit)) == 2)


async def test_only_low_ratings_trigger_an_alert(world: World) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    await answer(world, await world.send_survey(), 3)
    await answer(world, await world.send_survey("/csat nps @TomInTransit"), 7)
    await answer(world, await world.send_survey("/csat nps @sofie_l"), 6)
    message = await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)

    assert "NPS · " in visible_text(message)
    assert world.count_messages(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO) == 1


async def test_closing_requires_a_note(world: World) -> None:
    message = await trigger_alert(world)
    await submit_note(world, message, " \n\u0000 ")
    form = world.workspace.current_view(fixtures.CLEO)

    assert form
    assert form.errors == {"note": "Write what was done about it."}
    assert follow_up_rows(world) == [(None, None, None)]


async def test_a_note_keeps_its_lines_but_no_control_characters(any_world: World) -> None:
    await submit_note(any_world, await trigger_alert(any_world), "One.\n\x00Two. <!channel>\x07")
    await any_world.wait_until(
        lambda: follow_up_rows(any_world) == [(None, fixtures.CLEO, "One.\nTwo. <!channel>")]
    )


async def test_a_follow_up_closed_meanwhile_is_not_closed_again(world: World) -> None:
    message = await trigger_alert(world)
    await open_modal(world, CLOSE, message)
    await world.fill_in(fixtures.CLEO, note=NOTE)
    await world.workspace.submit_view(fixtures.CLEO)
    await world.wait_until(lambda: "Closed by" in alert_text(world, message))
    submitted = next(
        delivery
        for delivery in reversed(world.workspace.deliveries)
        if delivery.payload["type"] == "view_submission"
    )
    values = {"note": {"note": {"type": "plain_text_input", "value": "Another note"}}}
    view = {**submitted.payload["view"], "state": {"values": values}}
    again = await redeliver(world, submitted, view=view)

    assert "It was closed already, so nothing was changed." in str(again.response)
    assert "Your note wasn't saved." in str(again.response)
    assert "Another note" in str(again.response)
    assert follow_up_rows(world) == [(None, fixtures.CLEO, NOTE)]


async def test_a_note_on_a_rating_that_the_customer_has_raised_meanwhile_can_be_copied(
    any_world: World,
) -> None:
    message = await trigger_alert(any_world)
    await open_modal(any_world, CLOSE, message)
    await any_world.run_transaction(raise_rating, any_world.clock())
    await any_world.fill_in(fixtures.CLEO, note=NOTE)
    await any_world.workspace.submit_view(fixtures.CLEO)
    shown = visible_text((await any_world.wait_for_form(fixtures.CLEO)).blocks)

    assert "This rating is not low after all" in shown
    assert "Your note wasn't saved. To keep it, copy it:" in shown
    assert NOTE in shown


async def test_a_supervisor_does_not_learn_of_their_own_survey_that_its_rating_is_not_low(
    world: World,
) -> None:
    message = await trigger_alert(world)
    await world.run_transaction(follow_ups.withdraw, 1, world.clock())
    await world.run_transaction(let_cleo_have_asked)
    await click(world, SHOW, message)

    await world.wait_for_message("This low rating is no longer on file", fixtures.LEADS, fixtures.CLEO)


async def test_removed_supervisors_lose_access(tmp_path: Path) -> None:
    async with running_world(tmp_path, **{**SUPERVISED, "csat_supervisors": {fixtures.AGENTS}}) as world:
        message = await trigger_alert(world)
        await open_modal(world, CLOSE, message)
        await world.fill_in(fixtures.CLEO, note=NOTE)
        await world.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.ADA, fixtures.BEN])
        await world.advance(seconds=31)
        await world.workspace.submit_view(fixtures.CLEO)
        form = await world.wait_for_form(fixtures.CLEO)
        assert "Only supervisors" in visible_text(form.blocks)
        for action in (SHOW, TAKE_ON):
            await click(world, action, message)

        await world.wait_until(
            lambda: world.count_messages("Only supervisors", fixtures.LEADS, fixtures.CLEO) == 2
        )
        assert follow_up_rows(world) == [(None, None, None)]


async def test_the_alert_is_retried_after_a_rate_limit(world: World) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    feedback = await world.send_survey()
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=30)
    await answer(world, feedback, 1)
    await world.wait_until(lambda: world.attempts("low_rating") == [1])
    await world.advance(seconds=40)

    await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)


async def test_updating_the_alert_is_retried_after_a_rate_limit(world: World) -> None:
    message = await trigger_alert(world)
    await world.wait_until(world.is_outbox_empty)
    world.workspace.faults.fail("chat.update", "ratelimited", retry_after=30)
    await click(world, TAKE_ON, message)
    await world.wait_until(lambda: world.attempts("follow_up") == [1])
    await submit_note(world, message)
    await world.wait_until(lambda: "Closed by" in alert_text(world, message))

    assert "Assigned to" in alert_text(world, message)


async def test_a_results_channel_without_the_app_is_explained_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await answer(world, await world.send_survey(), 1)
    await world.wait_until(lambda: world.attempts("low_rating") == [1])

    assert "CSAT_RESULTS_CHANNEL (channel_not_found): invite the app, or set another channel" in caplog.text
    assert "SENTINEL" not in caplog.text
    assert COMMENT not in caplog.text


async def test_a_low_rating_is_announced_once_the_app_joins_the_results_channel(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await answer(world, await world.send_survey(), 1)
    await world.wait_until(lambda: world.attempts("low_rating") == [1])
    await world.advance(minutes=31)
    await world.wait_until(lambda: world.attempts("low_rating") == [2])
    world.workspace.invite_bot(fixtures.LEADS)
    await world.advance(minutes=31)

    await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
    assert caplog.text.count("CSAT_RESULTS_CHANNEL") == 1


async def test_a_refusal_after_an_outage_is_explained_in_the_log_too(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    feedback = await world.send_survey()
    await world.wait_until(world.is_outbox_empty)
    world.workspace.faults.fail("chat.postMessage", "503", times=1)
    await answer(world, feedback, 1)
    await world.wait_until(lambda: world.attempts("low_rating") == [1])
    await world.advance(seconds=10)
    await world.wait_until(lambda: world.attempts("low_rating") == [2])

    assert "CSAT_RESULTS_CHANNEL (channel_not_found)" in caplog.text


async def test_a_low_rating_that_slack_refuses_to_announce_is_given_up_after_a_week(world: World) -> None:
    await answer(world, await world.send_survey(), 1)
    await world.wait_until(lambda: world.attempts("low_rating") == [1])
    await world.run_transaction(date_back_by_a_week, world.clock())
    await world.advance(minutes=31)

    await world.wait_until(world.is_outbox_empty)


async def test_a_late_alert_shows_the_current_follow_up(world: World) -> None:
    world.workspace.invite_bot(fixtures.LEADS)
    feedback = await world.send_survey()
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=30)
    await answer(world, feedback, 1)
    await world.wait_until(lambda: world.attempts("low_rating") == [1])
    await world.run_transaction(follow_ups.take, 1, fixtures.TEAM, fixtures.CLEO, world.clock())
    await world.advance(minutes=2)
    message = await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)

    assert f"Assigned to <@{fixtures.CLEO}>" in visible_text(message)
    await world.advance(minutes=20)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.FOLLOW_UP) == 1)


async def test_the_alert_of_a_corrected_rating_is_withdrawn(world: World) -> None:
    message = await trigger_alert(world)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.LOW_RATING))
    await world.run_transaction(follow_ups.withdraw, 1, world.clock())
    await world.advance(minutes=2)
    await world.wait_until(lambda: "not low after all" in alert_text(world, message))

    assert button_ids(world, message) == []


async def test_without_a_results_channel_the_follow_up_is_opened_without_an_alert(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, csat_supervisors={fixtures.CLEO}) as world:
        await answer(world, await world.send_survey(), 1)
        await world.wait_until(world.is_outbox_empty)

        assert follow_up_rows(world) == [(None, None, None)]
        assert not [call for call in world.workspace.api_calls if LOW_RATING_ALERT in str(call.args)]


@pytest.mark.parametrize("action_id", [SHOW, TAKE_ON, CLOSE])
async def test_an_alert_whose_survey_is_gone_never_means_another_one_with_its_id(
    world: World, action_id: str
) -> None:
    old = await trigger_alert(world)
    await world.delete_surveys()
    await world.advance(minutes=1)
    await answer(world, await world.send_survey("/csat @sofie_l"), 1)
    await world.wait_until(lambda: world.count_messages(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO) == 2)
    await world.workspace.click(fixtures.CLEO, action_id, channel=old.channel, ts=old.ts)
    await world.wait_for_message("This low rating is no longer on file", fixtures.LEADS, fixtures.CLEO)

    assert world.rows(tables.surveys.c.id) == [(1,)]
    assert world.rows(tables.follow_ups.c.taken_by, tables.follow_ups.c.closed_by) == [(None, None)]
    assert world.workspace.current_view(fixtures.CLEO) is None

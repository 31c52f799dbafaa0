"""`python app.py forget`: what is erased, and what is kept to respect the limits."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import typer

from blocks.uncertain_survey import NOT_FOUND_OUT
from cli import forget
from cli.customer_messages import ErasureResult
from cli.errors import CommandError
from cli.forget import NOT_FOUND, RETRY_PAUSES_SECONDS, open_search_and_eraser
from csat.db import (
    attempt_outcomes,
    incoming_updates,
    reconciliation,
    send_queue,
    submissions,
    tables,
)
from csat.db.account_pauses import ensure_account
from csat.db.database import Database
from csat.db.erasure import erase, find_surveys
from csat.db.outbox import NotificationKind
from csat.db.survey_records import get_survey
from csat.db.tables import metadata
from csat.english_dates import format_moment
from csat.surveys.limits import Limits
from csat.surveys.receipt import Receipt
from csat.surveys.recipients import Recipient, XAccount
from csat.surveys.transports import TransportName
from sandbox.slack import ActionOutcome, fixtures
from sandbox.x import Endpoint, Fault
from tests.app_process import fake_environment, run_command
from tests.factories import NOON, SUPERVISED, make_origin, make_survey, make_update
from tests.timeouts import GENEROUS, SHORT_LOCK
from tests.world import LOW_RATING_ALERT, World, idle_world, running_app, running_world, visible_text

ERASED = f"<@{fixtures.ADA}> sent a survey to a customer. Their data has been deleted."


TABLES = ("surveys", "attempts", "outbox", "unmatched_responses", "follow_ups", "audit")


@pytest.fixture(name="world")
def _world(any_world: World) -> World:
    return any_world


async def submit_survey(world: World, recipient: str = "@mira_k", channel: str = fixtures.SUPPORT) -> None:
    message, external_id = f"Dear {recipient}, how did we do?", f"case of {recipient}"
    await world.submit_survey(f"/csat {recipient}", channel=channel, message=message, external_id=external_id)


async def wait_until_sent(world: World, number: int = 1) -> None:
    """Wait until `number` surveys are sent and the outbox is empty."""
    await world.wait_until(lambda: world.states().count("sent") == number and world.is_outbox_empty())


async def erase_customer(
    world: World, typed: Recipient, retry_pauses: Sequence[float] = RETRY_PAUSES_SECONDS
) -> ErasureResult:
    """Erase a customer, as the command does in a process of its own."""
    async with open_search_and_eraser(world.settings, retry_pauses) as (search, eraser):
        result = ErasureResult()
        await eraser.erase((await search.find(typed)).survey_ids, result)
        return result


def stored_text(world: World) -> str:
    """Return all rows of the database as text."""
    return str([world.rows(metadata.tables[name]) for name in TABLES])


@pytest.mark.parametrize("typed", ["@mira_k", "@MIRA_K", "id"])
async def test_nothing_in_the_database_or_in_slack_names_an_erased_customer(world: World, typed: str) -> None:
    mira = world.x.customer("mira_k")
    await submit_survey(world)
    await submit_survey(world, "@sofie_l")
    await wait_until_sent(world, 2)
    result = await erase_customer(
        world, XAccount(id=mira.id) if typed == "id" else XAccount(handle=typed[1:])
    )

    assert (result.erased, result.messages, result.remaining, result.advice) == (1, 1, 0, [])
    assert not [words for words in ("mira", mira.id) if words in stored_text(world).lower()]
    assert [
        visible_text(message)
        for message in world.app_messages()
        if "has been deleted" in visible_text(message)
    ] == [ERASED]
    shown = str([(message.text, message.blocks) for message in world.app_messages()])
    assert "mira_k" not in shown
    assert "sofie_l" in shown


async def test_the_database_files_do_not_contain_an_erased_customer(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path) as world:
        await submit_survey(world)
        await wait_until_sent(world)
        assert "mira_k" in read_database_files(world)
        result = await erase_customer(world, XAccount(handle="mira_k"))

        assert result.advice == []
        assert "mira_k" not in read_database_files(world)


async def test_if_the_wal_is_in_use_the_operator_is_told_to_restart_the_app(tmp_path: Path) -> None:
    async with idle_world(tmp_path, timeouts=SHORT_LOCK) as world:
        async with running_app(world):
            await submit_survey(world)
            await wait_until_sent(world)
        with contextlib.closing(sqlite3.connect(world.database_file)) as reader:
            reader.execute("begin")
            reader.execute("select * from surveys").fetchall()
            result = await erase_customer(world, XAccount(handle="mira_k"))

    assert result.erased == 1
    assert "Restart the app" in result.advice[0]


def read_database_files(world: World) -> str:
    """Return the bytes of the database's files as text."""
    files = sorted(world.database_file.parent.glob(f"{world.database_file.name}*"))
    return b"".join(file.read_bytes() for file in files).decode("latin-1")


async def test_erasing_keeps_the_cooldown_and_the_feedback_id(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    await erase_customer(world, XAccount(handle="mira_k"))
    await world.open_form("/csat @mira_k")
    result = await world.workspace.submit_view(fixtures.ADA)

    assert result.outcome is ActionOutcome.ERRORS
    assert "Can't be asked until " in visible_text(world.workspace.view_stack(fixtures.ADA)[-1].blocks)
    ((feedback, state, handle),) = world.rows(
        tables.surveys.c.feedback_id, tables.surveys.c.state, tables.surveys.c.recipient_handle
    )
    assert (feedback, state, handle) == (world.x.feedbacks[0].id, "sent", None)


async def test_a_waiting_survey_is_cancelled_and_its_requester_is_notified(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY)
    await submit_survey(world)
    await world.wait_for_waiting_message()
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.WAITING))
    await world.wait_until(lambda: "accepted" in world.states())
    result = await erase_customer(world, XAccount(handle="mira_k"))
    world.x.recover()

    assert (result.cancelled, result.erased, result.remaining) == (1, 1, 0)
    assert await world.wait_for_dm("was canceled: the customer's data has been deleted.")
    assert world.rows(tables.surveys.c.state, tables.surveys.c.message) == [("cancelled", "")]
    assert not world.x.feedbacks


async def test_a_survey_that_is_being_sent_is_not_erased_until_it_is_settled(world: World) -> None:
    with world.x.hold() as hold:
        await submit_survey(world)
        await hold.arrived.wait()
        early = await erase_customer(world, XAccount(handle="mira_k"))
    await wait_until_sent(world)
    late = await erase_customer(world, XAccount(handle="mira_k"))

    assert (early.erased, early.remaining) == (0, 1)
    assert (late.erased, late.remaining) == (1, 0)


async def test_a_survey_is_not_erased_while_a_message_about_it_is_being_posted(world: World) -> None:
    with world.workspace.faults.hold("chat.postMessage") as hold:
        await submit_survey(world)
        await hold.arrived.wait()
        early = await erase_customer(world, XAccount(handle="mira_k"))
    await wait_until_sent(world)
    late = await erase_customer(world, XAccount(handle="mira_k"))

    assert (early.erased, early.remaining) == (0, 1)
    assert (late.erased, late.remaining, late.messages) == (1, 0, 1)


async def test_a_survey_is_erased_with_a_message_that_waits_for_slack(world: World) -> None:
    world.workspace.faults.fail("chat.postMessage", "ratelimited", retry_after=1_000)
    await submit_survey(world)
    await world.wait_until(lambda: world.attempts("sent") == [1])
    result = await erase_customer(world, XAccount(handle="mira_k"))

    assert (result.erased, result.remaining) == (1, 0)
    assert world.rows(tables.outbox) == []


async def test_an_uncertain_survey_is_left_with_when_to_run_the_command_again(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.x.fail(Fault.BAD_GATEWAY, times=1)
    await submit_survey(world)
    await world.wait_for_dm("may not have arrived")
    await world.wait_until(world.is_outbox_empty)
    with pytest.raises(typer.Exit, match="1"):
        await forget.run(world.settings, XAccount(handle="mira_k"), yes=True)

    ((looked_for_at,),) = world.rows(tables.surveys.c.reconcile_at)
    printed = capsys.readouterr().out
    assert (
        "1 survey not erased yet: being sent, checked or announced. The last one is checked by "
        f"{format_moment(looked_for_at + timedelta(minutes=1))}: run this command again then." in printed
    )
    assert "Backups" not in printed


@pytest.mark.parametrize("button", ["survey_arrived", "send_survey_again"])
async def test_a_finally_uncertain_survey_is_erased_and_can_no_longer_be_settled(
    world: World, button: str
) -> None:
    world.x.fail(Fault.BAD_GATEWAY, times=1)
    await submit_survey(world)
    prompt = await world.wait_for_dm("may not have arrived")
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.UNCERTAIN))
    await world.workspace.click(fixtures.ADA, "leave_survey", channel=prompt.channel, ts=prompt.ts)
    await world.wait_for_dm("Left as it is.")
    early = await erase_customer(world, XAccount(handle="mira_k"))
    database = Database(world.database_url, GENEROUS)
    await database.run(reconciliation.give_up_reconciling, 1, NOON)
    database.close()
    await world.wait_for_dm(NOT_FOUND_OUT)
    await world.wait_until(world.is_outbox_empty)
    late = await erase_customer(world, XAccount(handle="mira_k"))
    await world.forge(actions=[{**world.workspace.deliveries[-1].payload["actions"][0], "action_id": button}])
    await world.wait_for_dm("already settled")

    assert (early.remaining, late.remaining) == (1, 0)
    assert world.rows(tables.surveys.c.state, tables.surveys.c.recipient_id) == [("uncertain", None)]


async def test_the_operator_is_told_which_message_could_not_be_changed(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    world.workspace.faults.fail("chat.update", "channel_not_found")
    result = await erase_customer(world, XAccount(handle="mira_k"))

    (advice,) = result.advice
    assert advice.startswith(f"In channel {fixtures.SUPPORT}, survey 1: not changed (channel_not_found).")
    assert (result.erased, result.remaining) == (1, 0)


async def test_a_deleted_message_needs_no_change(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    world.workspace.faults.fail("chat.update", "message_not_found")

    assert (await erase_customer(world, XAccount(handle="mira_k"))).advice == []


async def test_the_operator_is_told_of_a_message_posted_through_a_response_url(world: World) -> None:
    await submit_survey(world, channel=fixtures.LEADS)
    await wait_until_sent(world)
    result = await erase_customer(world, XAccount(handle="mira_k"))

    assert result.advice == [
        f"In channel {fixtures.LEADS}, survey 1: Slack did not say where our message is. Find and delete it."
    ]


async def test_while_slack_is_unavailable_the_survey_is_not_erased(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    world.workspace.faults.fail("chat.update", "internal_error")
    failed = await erase_customer(world, XAccount(handle="mira_k"), retry_pauses=())

    assert (failed.erased, failed.remaining) == (0, 1)
    assert failed.advice == ["Slack is unavailable at the moment (internal_error)."]
    assert (await erase_customer(world, XAccount(handle="mira_k"))).erased == 1


async def test_nothing_is_erased_while_slack_does_not_say_whose_token_it_is(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    world.workspace.faults.fail("auth.test", "internal_error", times=1000)  # the app asks now and then too
    with pytest.raises(CommandError, match="does not say which workspace is this app's"):
        await forget.run(world.settings, XAccount(handle="mira_k"), yes=True)

    assert world.rows(tables.surveys.c.recipient_handle) == [("mira_k",)]


async def test_while_x_is_unavailable_the_surveys_under_the_handle_are_erased_and_the_rest_is_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    world.x.fail(Fault.OVER_CAPACITY, Endpoint.LOOKUP)
    with pytest.raises(typer.Exit) as ended:
        await forget.run(world.settings, XAccount(handle="mira_k"), yes=True)

    assert ended.value.exit_code == 1
    assert capsys.readouterr().out == (
        "1 survey on file for @mira_k.\n"
        "Erased 1 survey, and changed 1 message in Slack.\n"
        "Backups made before still have the customer.\n"
        "X did not say who has this handle: it is busy or has a problem at the moment (X answered 503). "
        "Surveys under earlier handles of this customer may be left. "
        "Run this command again later, or with the customer's numeric id.\n"
    )


async def test_nothing_found_is_not_all_while_x_is_unavailable(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, x, environment):
        Database(environment["DATABASE_URL"], GENEROUS).close()
        x.fail(Fault.OVER_CAPACITY, Endpoint.LOOKUP)
        code, printed = await run_command(tmp_path, environment, "forget", "@mira_k", "--yes")

    assert code == 1
    assert printed.startswith("0 surveys on file for @mira_k.\nX did not say who has this handle: ")


async def insert_sent_survey(database: Database, view_id: str, recipient: Recipient) -> int:
    """Insert a survey that was sent."""
    await database.run(ensure_account, "A1")
    submission = submissions.Submission(
        view_id, make_survey().with_recipient(recipient), make_origin(), "A1", "one", view_id
    )
    record = await database.run(submissions.accept, submission, Limits(), NOON)
    number = await database.run(send_queue.begin_attempt, record, "one", NOON)
    assert number
    receipt = Receipt(
        transport=TransportName.X_CARD,
        id=view_id,
        dm_id="8",
        to_user_id="33",
        question_variant_id=0,
        created_at=NOON,
        updated_at=NOON,
    )
    await database.run(attempt_outcomes.mark_sent, record.id, number, receipt, NOON)
    return record.id


async def test_a_customer_is_found_by_every_handle_and_by_handle_alone(
    database: Database,
) -> None:
    new = await insert_sent_survey(database, "new", XAccount(handle="Mira_New", id="33"))
    old = await insert_sent_survey(database, "old", XAccount(handle="mira_k", id="33"))
    unknown = await insert_sent_survey(database, "unknown", XAccount(handle="MIRA_K"))
    other = await insert_sent_survey(database, "other", XAccount(handle="sofie_l", id="44"))
    by_id = await insert_sent_survey(database, "by id", XAccount(id="33"))

    for typed in (XAccount(handle="MIRA_new"), XAccount(handle="mira_k"), XAccount(id="33")):
        found = await database.read(find_surveys, typed)
        assert (list(found.teams), found.recipient_ids) == ([new, old, unknown, by_id], ["33"])
    assert list((await database.read(find_surveys, XAccount(id="44"))).teams) == [other]
    assert not (await database.read(find_surveys, XAccount(handle="nobody"))).teams


async def test_both_owners_of_a_handle_are_reported(database: Database) -> None:
    await insert_sent_survey(database, "one", XAccount(handle="mira_k", id="33"))
    await insert_sent_survey(database, "two", XAccount(handle="mira_k", id="44"))

    assert (await database.read(find_surveys, XAccount(handle="mira_k"))).recipient_ids == ["33", "44"]
    assert list((await database.read(find_surveys, XAccount(id="33"))).teams) == [1]


async def test_an_erased_recipient_has_no_label(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    await erase_customer(world, XAccount(handle="mira_k"))
    database = Database(world.database_url, GENEROUS)
    record = await database.read(get_survey, 1)
    database.close()

    assert record
    assert (record.survey.recipient.is_erased, record.survey.recipient.label) == (True, "")


@pytest.mark.parametrize(("is_confirmed", "left"), [(True, 0), (False, 1)])
async def test_nothing_is_erased_without_confirmation(
    world: World,
    is_confirmed: bool,  # noqa: FBT001
    left: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    monkeypatch.setattr("typer.confirm", lambda _: is_confirmed)
    with contextlib.nullcontext() if is_confirmed else pytest.raises(typer.Exit, match="1"):
        await forget.run(world.settings, XAccount(handle="mira_k"), yes=False)

    assert len(world.rows(tables.surveys.c.id, where=tables.surveys.c.recipient_handle.is_not(None))) == left
    printed = capsys.readouterr().out
    assert "1 survey on file for @mira_k." in printed
    assert ("Erased 1 survey, and changed 1 message in Slack." in printed) is is_confirmed
    assert ("Backups" in printed) is is_confirmed
    assert ("Nothing was forgotten." in printed) is not is_confirmed


async def test_forgetting_that_is_interrupted_says_how_to_go_on(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    with world.workspace.faults.hold("chat.update", after=False) as hold:
        forgetting = asyncio.create_task(
            forget.run(world.settings, XAccount(handle="mira_k"), yes=True), name="forgetting"
        )
        await hold.arrived.wait()
        forgetting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await forgetting

    assert capsys.readouterr().out.endswith(f"{forget.STOPPED}\n")


async def test_what_was_left_in_slack_is_named_though_forgetting_is_interrupted(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def interrupt(_: Database) -> bool:
        raise asyncio.CancelledError

    await submit_survey(world)
    await wait_until_sent(world)
    with monkeypatch.context() as patch:
        patch.setattr(Database, "truncate_wal", interrupt)
        with pytest.raises(asyncio.CancelledError):
            await forget.run(world.settings, XAccount(handle="mira_k"), yes=True, without_slack=True)

    printed = capsys.readouterr().out
    assert f"In channel {fixtures.SUPPORT}, survey 1: our message stays." in printed
    assert "Erased 1 survey" in printed


async def test_the_command_reports_an_invalid_recipient_and_the_surveys_found(
    tmp_path: Path,
) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        Database(environment["DATABASE_URL"], GENEROUS).close()
        invalid = await run_command(tmp_path, environment, "forget", "somebody else")
        unknown = await run_command(tmp_path, environment, "forget", "@mira_k", "--yes")

    assert invalid == (1, "X handles contain only letters a-z, digits and _. Enter one like @handle.\n")
    assert unknown == (0, f"0 surveys on file for @mira_k.\n{NOT_FOUND}\n")


async def test_a_person_in_a_workspace_that_does_not_ask_them_is_not_said_to_have_no_surveys(
    tmp_path: Path,
) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        Database(environment["DATABASE_URL"], GENEROUS).close()
        code, printed = await run_command(
            tmp_path, environment, "forget", f"{fixtures.OTHER_TEAM}/{fixtures.SAM}"
        )

    assert code == 1
    assert printed == (
        f"Forgetting stopped: {fixtures.OTHER_TEAM}/{fixtures.SAM}: this app doesn't ask anybody in the "
        f"workspace {fixtures.OTHER_TEAM}. Name the workspace that asks them, which is not the customer's "
        f"own: {fixtures.TEAM}/{fixtures.SAM}.\n"
    )


async def test_erasing_keeps_the_rating_and_deletes_the_comment(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    feedback = world.x.feedbacks[0]
    world.x.rate(feedback.id, 1)
    world.x.comment(feedback.id, "It is me, Mira.")
    await world.advance(minutes=1)
    await world.wait_for_message("They answered.")
    await world.wait_until(world.is_outbox_empty)
    result = await erase_customer(world, XAccount(handle="mira_k"))

    assert (result.erased, result.remaining, result.advice) == (1, 0, [])
    assert world.rows(tables.surveys.c.state, tables.surveys.c.rating, tables.surveys.c.comment) == [
        ("answered", 1, None)
    ]
    assert "Mira" not in stored_text(world)
    assert [visible_text(message) for message in world.app_messages()] == [ERASED]


async def test_x_is_not_polled_for_an_erased_customer_and_updates_are_ignored(world: World) -> None:
    await submit_survey(world)
    await wait_until_sent(world)
    await erase_customer(world, XAccount(handle="mira_k"))
    feedback = world.x.feedbacks[0]
    world.x.rate(feedback.id, 1)
    world.x.comment(feedback.id, "It is me, Mira.")
    for minutes in (1, 14 * 24 * 60, 60):
        await world.advance(minutes=minutes)
    await world.wait_until(lambda: world.states() == ["expired"])
    await world.wait_until(world.is_outbox_empty)

    assert not [call for call in world.x.requests if "/show/" in call.path]
    assert world.rows(tables.surveys.c.rating, tables.surveys.c.comment) == [(None, None)]
    assert world.rows(tables.unmatched_responses) == []
    assert [visible_text(message) for message in world.app_messages()] == [ERASED]


async def test_an_unmatched_response_is_erased_too(database: Database) -> None:
    await insert_sent_survey(database, "one", XAccount(handle="mira_k", id="33"))
    await database.run(
        incoming_updates.apply_update, make_update(1, "It is me.", feedback_id="other"), "one", NOON
    )
    await database.run(
        incoming_updates.apply_update, make_update(5, feedback_id="another"), "of somebody else", NOON
    )
    await database.run(lambda connection: connection.execute(tables.outbox.update().values(due_at=None)))

    assert await database.run(erase, 1, NOON)
    left = await database.read(lambda c: c.execute(tables.unmatched_responses.select()).scalars().all())
    assert left == ["another"]


async def test_messages_to_supervisors_do_not_name_an_erased_customer(tmp_path: Path) -> None:
    async with running_world(tmp_path, **SUPERVISED) as world:
        world.workspace.invite_bot(fixtures.LEADS)
        await submit_survey(world)
        await wait_until_sent(world)
        world.x.rate(world.x.feedbacks[0].id, 1)
        await world.advance(minutes=1)
        await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
        await world.wait_until(world.is_outbox_empty)
        result = await erase_customer(world, XAccount(handle="mira_k"))

        assert (result.erased, result.messages, result.advice) == (1, 2, [])
        (alert,) = world.app_messages(fixtures.LEADS, fixtures.CLEO)
        assert visible_text(alert) == "This was about a survey to a customer whose data has been deleted."

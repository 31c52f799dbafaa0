"""What is left of a customer who was forgotten: in the ledger, in Slack, and against asking them again."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from cli import forget
from cli.forget import Forgetting, Outcome, forgetting
from csat.db import database as db_module
from csat.db import responses, send_queue, submissions, tables
from csat.db.accounts import open_account
from csat.db.database import Database
from csat.db.erasure import erase, find
from csat.db.outbox import NotificationKind
from csat.db.survey_records import get_survey
from csat.db.tables import metadata
from csat.surveys.limits import Limits
from csat.surveys.recipients import Recipient
from csat.surveys.survey import Receipt
from sandbox.slack import ActionOutcome, fixtures
from sandbox.x import Endpoint, Fault
from tests.factories import NOON, SUPERVISED, make_origin, make_survey, make_update
from tests.test_running import around, output
from tests.world import LOW_RATING_ALERT, World, running_world, visible_text

ERASED = f"<@{fixtures.ADA}> asked a customer for feedback on X. (erased)"


TABLES = ("surveys", "attempts", "outbox", "unmatched_responses", "follow_ups", "audit")


@pytest.fixture(name="world")
def _world(any_world: World) -> World:
    return any_world


async def ask(world: World, recipient: str = "@mira_k", channel: str = fixtures.SUPPORT) -> None:
    message, external_id = f"Dear {recipient}, how did we do?", f"case of {recipient}"
    await world.submit_survey(f"/csat {recipient}", channel=channel, message=message, external_id=external_id)


async def told(world: World, number: int = 1) -> None:
    """Wait until this many surveys are sent and nothing is left to be told."""
    await world.wait_until(lambda: world.states().count("sent") == number and world.is_outbox_empty())


async def forgotten(world: World, typed: Recipient) -> Outcome:
    """Forget somebody while the app runs."""
    async with forgetting(world.settings) as forgetter:
        found, _ = await forgetter.find(typed)
        return await forgetter.forget(found)


def remembered(world: World) -> str:
    """Return all that the ledger holds, as one text."""
    return str([world.rows(metadata.tables[name]) for name in TABLES])


@pytest.mark.parametrize("typed", ["@mira_k", "@MIRA_K", "id"])
async def test_nothing_names_them_any_more_neither_in_the_ledger_nor_in_slack(
    world: World, typed: str
) -> None:
    mira = world.x.customer("mira_k")
    await ask(world)
    await ask(world, "@sofie_l")
    await told(world, 2)
    outcome = await forgotten(world, Recipient(id=mira.id) if typed == "id" else Recipient(handle=typed[1:]))

    assert (outcome.done["erased"], outcome.done["rewritten"], outcome.left, outcome.advice) == (1, 1, 0, [])
    assert not [words for words in ("mira", mira.id) if words in remembered(world).lower()]
    assert [
        visible_text(message) for message in world.app_messages() if "(erased)" in visible_text(message)
    ] == [ERASED]
    shown = str([(message.text, message.blocks) for message in world.app_messages()])
    assert "mira_k" not in shown
    assert "sofie_l" in shown


async def test_not_even_the_file_knows_them_while_the_app_runs(tmp_path: Path) -> None:
    async with running_world(tmp_path) as world:
        await ask(world)
        await told(world)
        assert "mira_k" in on_disk(world)
        outcome = await forgotten(world, Recipient(handle="mira_k"))

        assert outcome.advice == []
        assert "mira_k" not in on_disk(world)


async def test_where_the_file_is_being_read_the_operator_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_module, "PRAGMAS", ("journal_mode=WAL", "secure_delete=FAST", "busy_timeout=10"))
    async with running_world(tmp_path) as world:
        await ask(world)
        await told(world)
        with contextlib.closing(sqlite3.connect(world.database_file)) as reader:
            reader.execute("begin")
            reader.execute("select * from surveys").fetchall()
            outcome = await forgotten(world, Recipient(handle="mira_k"))

        assert outcome.done["erased"] == 1
        assert "restart the app" in outcome.advice[0]


def on_disk(world: World) -> str:
    """Return all bytes of the database's files."""
    files = sorted(world.database_file.parent.glob(f"{world.database_file.name}*"))
    return b"".join(file.read_bytes() for file in files).decode("latin-1")


async def test_the_cooldown_goes_on_and_the_feedback_is_still_known(world: World) -> None:
    await ask(world)
    await told(world)
    await forgotten(world, Recipient(handle="mira_k"))
    await world.open_form("/csat @mira_k")
    seen = await world.workspace.submit_view(fixtures.ADA)

    assert seen.outcome is ActionOutcome.UPDATED
    assert "Not sent. This customer got a survey recently." in visible_text(
        world.workspace.view_stack(fixtures.ADA)[-1].blocks
    )
    ((feedback, state, handle),) = world.rows(
        tables.surveys.c.feedback_id, tables.surveys.c.state, tables.surveys.c.recipient_handle
    )
    assert (feedback, state, handle) == (world.x.feedbacks[0].id, "sent", None)


async def test_what_waits_is_called_off_and_its_requester_is_told(world: World) -> None:
    world.x.fail(Fault.OVER_CAPACITY)
    await ask(world)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.WAITING))
    await world.wait_until(lambda: "accepted" in world.states())
    outcome = await forgotten(world, Recipient(handle="mira_k"))
    world.x.recover()

    assert (outcome.done["called off"], outcome.done["erased"], outcome.left) == (1, 1, 0)
    assert await world.wait_for_dm("was called off: its customer was erased. Nothing was sent.")
    assert world.rows(tables.surveys.c.state, tables.surveys.c.message) == [("cancelled", "")]
    assert not world.x.feedbacks


async def test_what_is_being_sent_is_left_until_it_is_settled(world: World) -> None:
    world.x.delay_seconds = 0.5
    world.x.fail(Fault.SLOW)
    await ask(world)
    await world.wait_until(lambda: "sending" in world.states())
    early = await forgotten(world, Recipient(handle="mira_k"))
    await told(world)
    late = await forgotten(world, Recipient(handle="mira_k"))

    assert (early.done["erased"], early.left) == (0, 1)
    assert (late.done["erased"], late.left) == (1, 0)


@pytest.mark.parametrize("button", ["survey_arrived", "send_survey_again"])
async def test_what_stays_uncertain_for_good_is_erased_and_can_no_longer_be_settled(
    world: World, button: str
) -> None:
    world.x.fail(Fault.BAD_GATEWAY, times=1)
    await ask(world)
    asked = await world.wait_for_message("It is not known whether")
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.UNCERTAIN))
    early = await forgotten(world, Recipient(handle="mira_k"))
    database = Database(world.database_url)
    await database.run(send_queue.give_up_reconciling, 1)
    database.close()
    late = await forgotten(world, Recipient(handle="mira_k"))
    await world.workspace.click(fixtures.ADA, button, channel=asked.channel, ts=asked.ts)
    await world.wait_for_message("settled already")

    assert (early.left, late.left) == (1, 0)
    assert world.rows(tables.surveys.c.state, tables.surveys.c.recipient_id) == [("uncertain", None)]


async def test_a_message_that_slack_does_not_let_us_change_is_named(world: World) -> None:
    await ask(world)
    await told(world)
    world.workspace.faults.fail("chat.update", "channel_not_found")
    outcome = await forgotten(world, Recipient(handle="mira_k"))

    (advice,) = outcome.advice
    assert advice.startswith(f"In channel {fixtures.SUPPORT}, survey 1: not changed (channel_not_found).")
    assert (outcome.done["erased"], outcome.left) == (1, 0)


async def test_a_message_that_somebody_has_deleted_needs_nothing(world: World) -> None:
    await ask(world)
    await told(world)
    world.workspace.faults.fail("chat.update", "message_not_found")

    assert (await forgotten(world, Recipient(handle="mira_k"))).advice == []


async def test_a_message_that_went_through_a_response_url_is_named(world: World) -> None:
    await ask(world, channel=fixtures.LEADS)
    await told(world)
    outcome = await forgotten(world, Recipient(handle="mira_k"))

    assert outcome.advice == [
        f"In channel {fixtures.LEADS}, survey 1: Slack never told where our message is. Look there for it."
    ]


async def test_while_slack_takes_no_changes_the_survey_is_left_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(world)
    await told(world)
    monkeypatch.setattr(Forgetting.__init__, "__defaults__", ((),))
    world.workspace.faults.fail("chat.update", "internal_error")
    busy = await forgotten(world, Recipient(handle="mira_k"))

    assert (busy.done["erased"], busy.left) == (0, 1)
    assert busy.advice == ["Slack takes no changes at the moment (internal_error)."]
    assert (await forgotten(world, Recipient(handle="mira_k"))).done["erased"] == 1


async def test_without_x_what_is_kept_under_the_handle_is_found(world: World) -> None:
    await ask(world)
    await told(world)
    world.x.fail(Fault.OVER_CAPACITY, Endpoint.LOOKUP)
    async with forgetting(world.settings) as forgetter:
        found, remark = await forgetter.find(Recipient(handle="mira_k"))

    assert found.survey_ids == [1]
    assert remark.startswith("X could not be asked who that is")


async def keep(database: Database, view_id: str, recipient: Recipient) -> int:
    """Keep a survey that X took."""
    await database.run(open_account, "A1")
    submission = submissions.Submission(
        view_id, make_survey().with_recipient(recipient), make_origin(), "A1", "one", view_id
    )
    entry = (await database.run(submissions.accept, submission, Limits(), NOON)).entry
    number = await database.run(send_queue.begin_attempt, entry, "one", NOON)
    assert number
    receipt = Receipt(
        id=view_id, dm_id="8", to_user_id="33", question_variant_id=0, created_at=NOON, updated_at=NOON
    )
    await database.run(send_queue.mark_sent, entry.id, number, receipt, NOON)
    return entry.id


async def test_they_are_found_by_each_handle_they_had_and_where_only_that_is_known(
    database: Database,
) -> None:
    new = await keep(database, "new", Recipient(handle="Mira_New", id="33"))
    old = await keep(database, "old", Recipient(handle="mira_k", id="33"))
    unknown = await keep(database, "unknown", Recipient(handle="MIRA_K"))
    other = await keep(database, "other", Recipient(handle="sofie_l", id="44"))
    by_id = await keep(database, "by id", Recipient(id="33"))

    for typed in (Recipient(handle="MIRA_new"), Recipient(handle="mira_k"), Recipient(id="33")):
        found = await database.read(find, typed)
        assert (found.survey_ids, found.recipient_ids) == ([new, old, unknown, by_id], ["33"])
    assert (await database.read(find, Recipient(id="44"))).survey_ids == [other]
    assert (await database.read(find, Recipient(handle="nobody"))).survey_ids == []


async def test_a_handle_that_had_two_owners_is_told(database: Database) -> None:
    await keep(database, "one", Recipient(handle="mira_k", id="33"))
    await keep(database, "two", Recipient(handle="mira_k", id="44"))

    assert (await database.read(find, Recipient(handle="mira_k"))).recipient_ids == ["33", "44"]
    assert (await database.read(find, Recipient(id="33"))).survey_ids == [1]


async def test_somebody_forgotten_is_known_as_that(world: World) -> None:
    await ask(world)
    await told(world)
    await forgotten(world, Recipient(handle="mira_k"))
    database = Database(world.database_url)
    entry = await database.read(get_survey, 1)
    database.close()

    assert entry
    assert (entry.survey.recipient.is_erased, entry.survey.recipient.label) == (True, "")


@pytest.mark.parametrize(("agrees", "left"), [(True, 0), (False, 1)])
async def test_it_is_asked_before_anything_is_erased(
    world: World,
    agrees: bool,  # noqa: FBT001
    left: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await ask(world)
    await told(world)
    monkeypatch.setattr("typer.confirm", lambda _: agrees)
    await forget.run(world.settings, Recipient(handle="mira_k"), yes=False)

    assert len(world.rows(tables.surveys.c.id, where=tables.surveys.c.recipient_handle.is_not(None))) == left
    printed = capsys.readouterr().out
    assert "1 surveys to @mira_k are kept." in printed
    assert ("Erased from 1 surveys; 1 messages in Slack changed." in printed) is agrees


async def test_the_command_says_what_to_type_and_what_it_found(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, _, environment):
        wrong = await output(tmp_path, environment, "forget", "somebody else")
        nobody = await output(tmp_path, environment, "forget", "@mira_k", "--yes")

    assert wrong == (1, "X handles contain only letters a-z, digits and _. Enter one like @handle.\n")
    assert nobody == (0, "0 surveys to @mira_k are kept.\n")


async def test_of_their_answer_the_rating_is_left_as_a_number(world: World) -> None:
    await ask(world)
    await told(world)
    feedback = world.x.feedbacks[0]
    world.x.rate(feedback.id, 1)
    world.x.comment(feedback.id, "It is me, Mira.")
    world.clock.advance(minutes=1)
    await world.wait_for_message("They answered.")
    await world.wait_until(world.is_outbox_empty)
    outcome = await forgotten(world, Recipient(handle="mira_k"))

    assert (outcome.done["erased"], outcome.left, outcome.advice) == (1, 0, [])
    assert world.rows(tables.surveys.c.state, tables.surveys.c.rating, tables.surveys.c.comment) == [
        ("answered", 1, None)
    ]
    assert "Mira" not in remembered(world)
    assert [visible_text(message) for message in world.app_messages()] == [ERASED]


async def test_x_is_not_asked_about_them_and_what_it_tells_is_ignored(world: World) -> None:
    await ask(world)
    await told(world)
    await forgotten(world, Recipient(handle="mira_k"))
    feedback = world.x.feedbacks[0]
    world.x.rate(feedback.id, 1)
    world.x.comment(feedback.id, "It is me, Mira.")
    for minutes in (1, 14 * 24 * 60, 60):
        world.clock.advance(minutes=minutes)
    await world.wait_until(lambda: world.states() == ["expired"])
    await world.wait_until(world.is_outbox_empty)

    assert not [call for call in world.x.requests if "/show/" in call.path]
    assert world.rows(tables.surveys.c.rating, tables.surveys.c.comment) == [(None, None)]
    assert world.rows(tables.unmatched_responses) == []
    assert [visible_text(message) for message in world.app_messages()] == [ERASED]


async def test_what_waits_for_a_survey_of_theirs_is_erased_too(database: Database) -> None:
    await keep(database, "one", Recipient(handle="mira_k", id="33"))
    await database.run(responses.take, make_update(1, "It is me.", feedback_id="other"), "one", NOON)
    await database.run(responses.take, make_update(5, feedback_id="another"), "of somebody else", NOON)
    await database.run(lambda connection: connection.execute(tables.outbox.update().values(due_at=None)))

    assert await database.run(erase, 1)
    left = await database.read(lambda c: c.execute(tables.unmatched_responses.select()).scalars().all())
    assert left == ["another"]


async def test_what_supervisors_were_told_names_them_no_longer(tmp_path: Path) -> None:
    async with running_world(tmp_path, **SUPERVISED) as world:
        world.workspace.invite_bot(fixtures.LEADS)
        await ask(world)
        await told(world)
        world.x.rate(world.x.feedbacks[0].id, 1)
        world.clock.advance(minutes=1)
        await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)
        await world.wait_until(world.is_outbox_empty)
        outcome = await forgotten(world, Recipient(handle="mira_k"))

        assert (outcome.done["erased"], outcome.done["rewritten"], outcome.advice) == (1, 2, [])
        (alert,) = world.app_messages(fixtures.LEADS, fixtures.CLEO)
        assert visible_text(alert) == "A survey to a customer. (erased)"

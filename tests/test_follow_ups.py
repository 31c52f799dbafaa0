"""Low ratings in the ledger, on each kind of database."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from csat.db import erasure, follow_ups, outbox, responses, tables
from csat.db.database import Database
from csat.db.follow_ups import Conflict, FollowUpConflict
from csat.db.outbox import Notification, NotificationKind
from csat.db.survey_records import get_survey
from csat.surveys.follow_ups import InvalidNote, parse_note
from tests.factories import LATER, NOON, RECIPIENT_KEY, insert_sent, make_origin, make_survey, make_update

TEAM = "T012AB3CD"
WHO = "U012AB3CD"
"""Who asked."""
CLEO, DORA = "U0CLEO", "U0DORA"


def low(connection: Connection) -> int:
    """Keep a survey that was rated 1."""
    entry = insert_sent(connection)
    responses.take(connection, make_update(1, "Bad."), RECIPIENT_KEY, LATER)
    return entry.id


def notification(connection: Connection, survey_id: int, kind: NotificationKind) -> Notification:
    survey = get_survey(connection, survey_id)
    assert survey
    return Notification(survey=survey, kind=kind)


async def conflict(database: Database, step: object, *given: object) -> Conflict:
    with pytest.raises(FollowUpConflict) as refusal:
        await database.run(step, *given)  # type: ignore[arg-type]
    return refusal.value.conflict


async def test_a_low_rating_is_opened_once(database: Database) -> None:
    survey_id = await database.run(low)

    assert not await database.run(follow_ups.open_for, survey_id, TEAM, NOON)


async def test_of_ten_who_press_at_once_one_takes_it_on(database: Database) -> None:
    survey_id = await database.run(low)

    tries = [database.run(follow_ups.take, survey_id, TEAM, f"U{number}", LATER) for number in range(10)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)

    (taken,) = [outcome for outcome in outcomes if isinstance(outcome, Notification)]
    taker = f"U{outcomes.index(taken)}"
    refusals = [outcome for outcome in outcomes if isinstance(outcome, FollowUpConflict)]
    assert len(refusals) == 9
    assert {refusal.conflict for refusal in refusals} == {Conflict.TAKEN}
    assert {refusal.follow_up and refusal.follow_up.taken_by for refusal in refusals} == {taker}


async def test_the_same_person_takes_it_on_once(database: Database) -> None:
    survey_id = await database.run(low)
    taken = [
        await database.run(follow_ups.take, survey_id, TEAM, CLEO, LATER + timedelta(minutes=minute))
        for minute in range(2)
    ]
    found = await database.read(follow_ups.find, survey_id)

    assert [bool(notification) for notification in taken] == [True, False]
    assert found
    assert (found.follow_up.taken_by, found.follow_up.taken_at) == (CLEO, LATER)


async def test_it_is_closed_once_with_one_note(database: Database) -> None:
    survey_id = await database.run(low)
    close = follow_ups.close

    assert await database.run(close, survey_id, TEAM, CLEO, "Called.", LATER)
    assert not await database.run(close, survey_id, TEAM, CLEO, "Called.", LATER)
    assert await conflict(database, close, survey_id, TEAM, CLEO, "Wrote.", LATER) is Conflict.CLOSED
    assert await conflict(database, close, survey_id, TEAM, DORA, "Called.", LATER) is Conflict.CLOSED
    assert await conflict(database, follow_ups.take, survey_id, TEAM, DORA, LATER) is Conflict.CLOSED
    shown = await database.run(follow_ups.show, survey_id, TEAM, CLEO, LATER)
    assert (shown.rating, shown.comment, shown.note, shown.follow_up.closed_by) == (
        1,
        "Bad.",
        "Called.",
        CLEO,
    )
    assert "Bad." not in repr(shown)
    assert "Called." not in repr(shown)


async def test_nobody_follows_up_what_they_asked_for_or_what_is_not_theirs(database: Database) -> None:
    survey_id = await database.run(low)

    for step, *given in ((follow_ups.take,), (follow_ups.close, "note"), (follow_ups.show,)):
        assert await conflict(database, step, survey_id, TEAM, WHO, *given, LATER) is Conflict.OWN
        assert await conflict(database, step, survey_id, "T999", CLEO, *given, LATER) is Conflict.UNKNOWN
        assert await conflict(database, step, survey_id + 1, TEAM, CLEO, *given, LATER) is Conflict.UNKNOWN
    assert await database.read(lambda connection: connection.execute(select(tables.audit)).all()) == []


async def test_open_ones_come_oldest_first_without_ones_own(database: Database) -> None:
    await database.run(low)
    row = await database.read(lambda connection: connection.execute(select(tables.surveys)).one())

    def more(connection: Connection) -> None:
        for number in (3, 1, 2):
            copied = {column.name: getattr(row, column.name) for column in tables.surveys.c}
            copied |= {"id": number + 100, "view_id": f"V{number + 100}", "requester": f"U{number}"}
            connection.execute(tables.surveys.insert().values(**copied))
            follow_ups.open_for(connection, number + 100, TEAM, LATER + timedelta(days=number))

    await database.run(more)
    await database.run(follow_ups.close, 102, TEAM, CLEO, "Called.", LATER)

    async def listed(most: int, without: str = "") -> list[int]:
        return [each.survey_id for each in await database.read(follow_ups.list_open, TEAM, most, without)]

    assert await listed(9) == [1, 101, 103]
    assert await listed(9, "U1") == [1, 103]
    assert await listed(2) == [1, 101]
    assert await database.read(follow_ups.list_open, "T999", 9) == []


async def test_what_moved_on_while_it_was_told_is_told_again(database: Database) -> None:
    survey_id = await database.run(low)
    due = await database.run(follow_ups.take, survey_id, TEAM, CLEO, LATER)
    assert due
    before = await database.read(follow_ups.find, survey_id)
    assert before
    await database.run(follow_ups.close, survey_id, TEAM, CLEO, "Called.", LATER)
    after = await database.read(follow_ups.find, survey_id)
    assert after

    assert not await database.run(follow_ups.mark_alert_updated, due, before.follow_up, LATER)
    assert (await database.read(outbox.get_status, survey_id, NotificationKind.FOLLOW_UP)).is_due
    assert await database.run(follow_ups.mark_alert_updated, due, after.follow_up, LATER)
    assert not (await database.read(outbox.get_status, survey_id, NotificationKind.FOLLOW_UP)).is_due


@pytest.mark.parametrize("ts", ["", "1700000000.000300"])
async def test_a_rating_that_was_not_low_after_all_is_taken_back(database: Database, ts: str) -> None:
    survey_id = await database.run(low)
    if ts:
        await database.run(
            outbox.mark_sent,
            await database.run(notification, survey_id, NotificationKind.LOW_RATING),
            "C1",
            ts,
            LATER,
        )
    await database.run(responses.take, make_update(5, at=5), RECIPIENT_KEY, LATER)

    assert await database.read(follow_ups.find, survey_id) is None
    assert (await database.read(outbox.get_status, survey_id, NotificationKind.FOLLOW_UP)).is_due == bool(ts)


async def test_where_it_was_asked_for_without_a_thread_the_confirmation_leads_there(
    database: Database,
) -> None:
    def without_thread(connection: Connection) -> int:
        survey_id = low(connection)
        connection.execute(tables.surveys.update().values(thread=""))
        outbox.mark_sent(
            connection,
            notification(connection, survey_id, NotificationKind.SENT),
            make_origin().channel,
            "1700000000.000200",
            LATER,
        )
        return survey_id

    found = await database.read(follow_ups.find, await database.run(without_thread))

    assert found
    assert found.ts == "1700000000.000200"
    assert found.survey.external_id == make_survey().external_id


async def test_of_somebody_who_is_forgotten_no_note_is_left(database: Database) -> None:
    survey_id = await database.run(low)
    await database.run(follow_ups.close, survey_id, TEAM, CLEO, "Called Grace.", LATER)
    await database.run(lambda connection: connection.execute(tables.outbox.update().values(due_at=None)))
    assert await database.run(erasure.erase, survey_id)
    shown = await database.run(follow_ups.show, survey_id, TEAM, CLEO, LATER)

    assert shown.note is None
    assert shown.follow_up.closed_by == CLEO
    assert shown.survey.recipient.is_erased


@pytest.mark.parametrize(
    ("typed", "kept"),
    [(" One.\r\nTwo. ", "One.\nTwo."), ("a\x00b\x1b\ud800c", "abc"), ("x" * 3000, "x" * 3000)],
)
def test_a_note_is_kept_as_it_was_typed(typed: str, kept: str) -> None:
    assert parse_note(typed) == kept


@pytest.mark.parametrize("typed", ["", " \n\t", "\x00", "x" * 3001])
def test_a_note_says_something_and_ends_somewhere(typed: str) -> None:
    with pytest.raises(InvalidNote):
        parse_note(typed)

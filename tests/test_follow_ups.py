"""Follow-ups on low ratings, on each kind of database."""

import asyncio
from collections.abc import Callable, Collection
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from csat.db import erasure, follow_ups, incoming_updates, low_ratings, outbox, tables
from csat.db.database import Database
from csat.db.follow_ups import Conflict, FollowUpConflict
from csat.db.outbox import Notification, NotificationKind
from csat.db.survey_records import get_survey
from csat.surveys.follow_ups import InvalidNote, OpenLowRatings, parse_note
from tests.factories import LATER, NOON, RECIPIENT_KEY, insert_sent, make_origin, make_survey, make_update

TEAM = "T012AB3CD"
REQUESTER = "U012AB3CD"
CLEO, DORA = "U0CLEO", "U0DORA"


def insert_low(connection: Connection) -> int:
    """Insert a survey rated 1 and return its id."""
    record = insert_sent(connection)
    incoming_updates.apply_update(connection, make_update(1, "Bad."), RECIPIENT_KEY, LATER)
    return record.id


def make_notification(connection: Connection, survey_id: int, kind: NotificationKind) -> Notification:
    survey = get_survey(connection, survey_id)
    assert survey
    return Notification(survey=survey, kind=kind)


async def get_conflict(database: Database, transaction: object, *args: object) -> Conflict:
    with pytest.raises(FollowUpConflict) as error:
        await database.run(transaction, *args)  # type: ignore[arg-type]
    return error.value.conflict


async def test_a_follow_up_is_opened_once(database: Database) -> None:
    survey_id = await database.run(insert_low)

    assert not await database.run(follow_ups.open_follow_up, survey_id, TEAM, NOON)


async def test_only_one_of_ten_concurrent_users_takes_a_follow_up(database: Database) -> None:
    survey_id = await database.run(insert_low)

    attempts = [database.run(follow_ups.take, survey_id, TEAM, f"U{number}", LATER) for number in range(10)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)

    (taken,) = [outcome for outcome in outcomes if isinstance(outcome, Notification)]
    taker = f"U{outcomes.index(taken)}"
    conflicts = [outcome for outcome in outcomes if isinstance(outcome, FollowUpConflict)]
    assert len(conflicts) == 9
    assert {error.conflict for error in conflicts} == {Conflict.TAKEN}
    assert {error.follow_up and error.follow_up.taken_by for error in conflicts} == {taker}


async def test_taking_a_follow_up_twice_has_no_effect(database: Database) -> None:
    survey_id = await database.run(insert_low)
    taken = [
        await database.run(follow_ups.take, survey_id, TEAM, CLEO, LATER + timedelta(minutes=minute))
        for minute in range(2)
    ]
    found = await database.read(low_ratings.find_low_rating, survey_id)

    assert [bool(outcome) for outcome in taken] == [True, False]
    assert found
    assert (found.follow_up.taken_by, found.follow_up.taken_at) == (CLEO, LATER)


async def test_a_follow_up_is_closed_once_with_one_note(database: Database) -> None:
    survey_id = await database.run(insert_low)
    close = follow_ups.close

    assert await database.run(close, survey_id, TEAM, CLEO, "Called.", LATER)
    assert not await database.run(close, survey_id, TEAM, CLEO, "Called.", LATER)
    assert await get_conflict(database, close, survey_id, TEAM, CLEO, "Wrote.", LATER) is Conflict.CLOSED
    assert await get_conflict(database, close, survey_id, TEAM, DORA, "Called.", LATER) is Conflict.CLOSED
    assert await get_conflict(database, follow_ups.take, survey_id, TEAM, DORA, LATER) is Conflict.CLOSED
    shown = await database.run(follow_ups.reveal, survey_id, TEAM, CLEO, LATER)
    assert (shown.rating, shown.comment, shown.note, shown.follow_up.closed_by) == (
        1,
        "Bad.",
        "Called.",
        CLEO,
    )
    assert "Bad." not in repr(shown)
    assert "Called." not in repr(shown)


async def test_a_closed_follow_up_is_reopened_once_and_keeps_its_assignee_and_its_notes(
    database: Database,
) -> None:
    survey_id = await database.run(insert_low)
    close, reopen = follow_ups.close, follow_ups.reopen
    assert await get_conflict(database, reopen, survey_id, TEAM, DORA, LATER) is Conflict.OPEN
    await database.run(follow_ups.take, survey_id, TEAM, CLEO, LATER)
    await database.run(close, survey_id, TEAM, CLEO, "Called.", LATER)

    assert await database.run(reopen, survey_id, TEAM, DORA, LATER)
    assert not await database.run(reopen, survey_id, TEAM, DORA, LATER)
    assert await get_conflict(database, reopen, survey_id, TEAM, CLEO, LATER) is Conflict.OPEN
    [listed] = await database.read(low_ratings.list_open, TEAM, 9)
    found = listed.follow_up
    assert (found.taken_by, found.closed_by, found.closed_at) == (CLEO, CLEO, None)
    assert (found.reopened_by, found.reopened_at, listed.note) == (DORA, LATER, "Called.")
    assert await database.read(low_ratings.list_closed, TEAM, 9) == []

    assert await database.run(close, survey_id, TEAM, DORA, "Sent a voucher.", LATER)
    assert not await database.run(close, survey_id, TEAM, DORA, "Sent a voucher.", LATER)
    [listed] = await database.read(low_ratings.list_closed, TEAM, 9)
    assert (listed.note, listed.follow_up.closed_by) == ("Called.\n\nSent a voucher.", DORA)


async def test_a_reopened_follow_up_is_not_withdrawn_by_a_corrected_rating(database: Database) -> None:
    survey_id = await database.run(insert_low)
    await database.run(follow_ups.close, survey_id, TEAM, CLEO, "Called.", LATER)
    await database.run(follow_ups.reopen, survey_id, TEAM, CLEO, LATER)
    await database.run(incoming_updates.apply_update, make_update(5, at=5), RECIPIENT_KEY, LATER)

    assert await database.read(low_ratings.find_low_rating, survey_id)


@pytest.mark.parametrize("is_closed", [False, True])
async def test_a_follow_up_of_a_corrected_rating_is_kept_but_not_open(
    database: Database, *, is_closed: bool
) -> None:
    survey_id = await database.run(insert_low)
    await database.run(follow_ups.take, survey_id, TEAM, CLEO, LATER)
    if is_closed:
        await database.run(follow_ups.close, survey_id, TEAM, CLEO, "Called.", LATER)
    await database.run(incoming_updates.apply_update, make_update(5, at=5), RECIPIENT_KEY, LATER)

    assert await database.read(low_ratings.list_open, TEAM, 9) == []
    assert await database.read(low_ratings.summarize_open, TEAM, {DORA}) == OpenLowRatings()
    kept = await database.read(low_ratings.list_closed, TEAM, 9)
    assert [(each.is_low, each.note) for each in kept] == [(False, "Called.")] * is_closed


async def test_a_follow_up_is_taken_over_only_from_the_user_who_was_shown(database: Database) -> None:
    survey_id = await database.run(insert_low)
    take = follow_ups.take
    assert await get_conflict(database, take, survey_id, TEAM, DORA, LATER, CLEO) is Conflict.TAKEN
    await database.run(take, survey_id, TEAM, CLEO, LATER)

    assert await database.run(take, survey_id, TEAM, DORA, LATER, CLEO)
    assert not await database.run(take, survey_id, TEAM, DORA, LATER, CLEO)
    assert await get_conflict(database, take, survey_id, TEAM, "U0EVE", LATER, CLEO) is Conflict.TAKEN
    found = await database.read(low_ratings.find_low_rating, survey_id)
    assert found
    assert found.follow_up.taken_by == DORA


async def test_own_surveys_and_surveys_of_other_teams_cannot_be_followed_up(database: Database) -> None:
    survey_id = await database.run(insert_low)

    for transaction, *args in (
        (follow_ups.take,),
        (follow_ups.close, "note"),
        (follow_ups.reopen,),
        (follow_ups.reveal,),
    ):
        assert (
            await get_conflict(database, transaction, survey_id, TEAM, REQUESTER, *args, LATER)
            is Conflict.OWN
        )
        assert (
            await get_conflict(database, transaction, survey_id, "T999", CLEO, *args, LATER)
            is Conflict.UNKNOWN
        )
        assert (
            await get_conflict(database, transaction, survey_id + 1, TEAM, CLEO, *args, LATER)
            is Conflict.UNKNOWN
        )
    assert await database.read(lambda connection: connection.execute(select(tables.audit)).all()) == []


async def test_open_follow_ups_are_listed_oldest_first_without_own_surveys(database: Database) -> None:
    await database.run(insert_low)
    row = await database.read(lambda connection: connection.execute(select(tables.surveys)).one())

    def insert_more(connection: Connection) -> None:
        for number in (3, 1, 2):
            copied = {column.name: getattr(row, column.name) for column in tables.surveys.c}
            copied |= {"id": number + 100, "view_id": f"V{number + 100}", "requester": f"U{number}"}
            connection.execute(tables.surveys.insert().values(**copied))
            follow_ups.open_follow_up(connection, number + 100, TEAM, LATER + timedelta(days=number))

    await database.run(insert_more)
    await database.run(follow_ups.close, 102, TEAM, CLEO, "Called.", LATER)
    await database.run(follow_ups.take, 103, TEAM, CLEO, LATER)

    async def list_open(limit: int, exclude_requester: str = "") -> list[int]:
        return [
            each.survey_id
            for each in await database.read(low_ratings.list_open, TEAM, limit, exclude_requester)
        ]

    async def summarize_open(team: str, exclude_requesters: Collection[str] = ()) -> OpenLowRatings:
        return await database.read(low_ratings.summarize_open, team, exclude_requesters)

    assert await list_open(9) == [1, 101, 103]
    assert await list_open(9, "U1") == [1, 103]
    assert await list_open(2) == [1, 101]
    assert await database.read(low_ratings.list_open, "T999", 9) == []
    assert await summarize_open(TEAM) == OpenLowRatings(number=3, unassigned=2, oldest=LATER)
    assert await summarize_open(TEAM, {REQUESTER}) == OpenLowRatings(
        number=2, unassigned=1, oldest=LATER + timedelta(days=1)
    )
    assert await summarize_open(TEAM, {REQUESTER, "U1", "U3"}) == OpenLowRatings()
    assert [each.note for each in await database.read(low_ratings.list_closed, TEAM, 9, "U1")] == ["Called."]
    assert await database.read(low_ratings.list_closed, TEAM, 9, "U2") == []
    assert await database.read(low_ratings.list_closed, "T999", 9) == []


@pytest.mark.parametrize(
    ("transaction", "args"),
    [
        (follow_ups.close, (1, TEAM, CLEO, "Called.", LATER)),
        (incoming_updates.apply_update, (make_update(5, at=5), RECIPIENT_KEY, LATER)),
    ],
    ids=["follow-up", "rating"],
)
async def test_an_alert_is_updated_again_if_the_follow_up_or_the_rating_changed_meanwhile(
    database: Database, transaction: Callable[..., object], args: tuple[object, ...]
) -> None:
    survey_id = await database.run(insert_low)
    due = await database.run(follow_ups.take, survey_id, TEAM, CLEO, LATER)
    assert due
    before = await database.read(low_ratings.find_low_rating, survey_id)
    await database.run(transaction, *args)
    after = await database.read(low_ratings.find_low_rating, survey_id)

    assert not await database.run(follow_ups.mark_alert_updated, due, before, LATER)
    assert (await database.read(outbox.get_status, survey_id, NotificationKind.FOLLOW_UP)).is_due
    assert await database.run(follow_ups.mark_alert_updated, due, after, LATER)
    assert not (await database.read(outbox.get_status, survey_id, NotificationKind.FOLLOW_UP)).is_due


@pytest.mark.parametrize("ts", ["", "1700000000.000300"])
async def test_a_corrected_rating_withdraws_the_follow_up(database: Database, ts: str) -> None:
    survey_id = await database.run(insert_low)
    if ts:
        await database.run(
            outbox.mark_sent,
            await database.run(make_notification, survey_id, NotificationKind.LOW_RATING),
            "C1",
            ts,
            LATER,
        )
    await database.run(incoming_updates.apply_update, make_update(5, at=5), RECIPIENT_KEY, LATER)

    assert await database.read(low_ratings.find_low_rating, survey_id) is None
    assert (await database.read(outbox.get_status, survey_id, NotificationKind.FOLLOW_UP)).is_due == bool(ts)


async def test_a_survey_without_a_thread_links_to_its_confirmation(
    database: Database,
) -> None:
    def insert_low_without_thread(connection: Connection) -> int:
        survey_id = insert_low(connection)
        connection.execute(tables.surveys.update().values(thread=""))
        outbox.mark_sent(
            connection,
            make_notification(connection, survey_id, NotificationKind.SENT),
            make_origin().channel,
            "1700000000.000200",
            LATER,
        )
        return survey_id

    found = await database.read(low_ratings.find_low_rating, await database.run(insert_low_without_thread))

    assert found
    assert found.ts == "1700000000.000200"
    assert found.survey.external_id == make_survey().external_id


async def test_erasing_a_customer_deletes_the_note_and_the_comment(database: Database) -> None:
    survey_id = await database.run(insert_low)
    await database.run(follow_ups.close, survey_id, TEAM, CLEO, "Called Grace.", LATER)
    await database.run(lambda connection: connection.execute(tables.outbox.update().values(due_at=None)))
    assert await database.run(erasure.erase, survey_id, LATER)
    shown = await database.run(follow_ups.reveal, survey_id, TEAM, CLEO, LATER)

    assert (shown.note, shown.comment, shown.is_comment_erased) == (None, None, True)
    assert shown.follow_up.closed_by == CLEO
    assert shown.survey.recipient.is_erased


@pytest.mark.parametrize(
    ("typed", "expected"),
    [(" One.\r\nTwo. ", "One.\nTwo."), ("a\x00b\x1b\ud800c", "abc"), ("x" * 3000, "x" * 3000)],
)
def test_a_note_is_stored_without_control_characters(typed: str, expected: str) -> None:
    assert parse_note(typed) == expected


@pytest.mark.parametrize("typed", ["", " \n\t", "\x00", "\u200b", "\u00ad\u034f", "\u3164\u2800", "x" * 3001])
def test_an_empty_or_too_long_note_is_rejected(typed: str) -> None:
    with pytest.raises(InvalidNote):
        parse_note(typed)

"""Stored responses: every source and every order of updates leads to the same result."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text, update

from csat.db import attempt_outcomes, erasure
from csat.db.database import Database
from csat.db.incoming_updates import UNMATCHED_RETENTION, UpdateOutcome, apply_update, match_unmatched
from csat.db.survey_records import SurveyRecord
from csat.db.tables import outbox, surveys, unmatched_responses
from csat.surveys.questions import Metric
from csat.surveys.responses import Update
from csat.surveys.states import State
from tests.databases import Databases
from tests.factories import (
    LATER,
    NOON,
    RECIPIENT_KEY,
    insert_confirmed,
    insert_sending,
    insert_sent,
    insert_uncertain,
    make_update,
    newest_survey_id,
    stored_response,
)
from tests.timeouts import GENEROUS


def test_a_response_is_stored_and_its_notifications_are_enqueued(
    connection: Connection,
) -> None:
    insert_sent(connection)

    assert apply_update(connection, make_update(2, "Slow."), RECIPIENT_KEY, LATER) is UpdateOutcome.ANSWERED
    found = stored_response(connection)
    assert (found["state"], found["rating"], found["comment"]) == (State.ANSWERED, 2, "Slow.")
    assert (found["outbox"], found["low"]) == ({"sent", "answered", "low_rating"}, True)
    assert found["rated_at"] == NOON + timedelta(seconds=10)
    due = connection.execute(select(outbox.c.due_at).where(outbox.c.kind != "sent")).scalars()
    assert set(due) == {LATER}


@pytest.mark.parametrize(
    ("rating", "fields", "low"),
    [
        (2, {}, True),
        (3, {}, False),
        (6, {"metric": "nps"}, True),
        (7, {"metric": "nps"}, False),
        (1, {"test": True}, False),
    ],
)
def test_only_low_ratings_outside_tests_are_followed_up(
    connection: Connection, rating: int, fields: dict[str, object], low: object
) -> None:
    insert_sent(connection, **fields)
    apply_update(
        connection,
        make_update(rating, metric=Metric(str(fields.get("metric", "csat")))),
        RECIPIENT_KEY,
        LATER,
    )

    found = stored_response(connection)
    assert (found["state"], found["low"], "low_rating" in found["outbox"]) == (State.ANSWERED, low, low)


def test_x_is_polled_until_rating_and_comment_have_arrived(connection: Connection) -> None:
    insert_sent(connection)
    poll_times = []
    for update_ in (make_update(), make_update(5), make_update(5, "Fine.")):
        apply_update(connection, update_, RECIPIENT_KEY, LATER)
        poll_times.append(connection.execute(select(surveys.c.poll_at)).scalar_one())

    assert poll_times == [NOON + timedelta(minutes=1), NOON + timedelta(minutes=1), None]


def test_a_comment_without_a_rating_does_not_answer_a_survey(connection: Connection) -> None:
    insert_sent(connection)
    apply_update(connection, make_update(comment="Fine."), RECIPIENT_KEY, LATER)

    assert (stored_response(connection)["state"], stored_response(connection)["comment"]) == (
        State.SENT,
        "Fine.",
    )


@pytest.mark.parametrize("make", [insert_sending, insert_uncertain, insert_confirmed])
def test_an_update_replaces_a_missing_receipt(
    connection: Connection, make: Callable[[Connection], SurveyRecord]
) -> None:
    record = make(connection)

    assert apply_update(connection, make_update(), RECIPIENT_KEY, LATER) is UpdateOutcome.APPLIED
    found = stored_response(connection)
    assert (found["state"], found["feedback_id"]) == (State.SENT, "900")
    assert "sent" in found["outbox"]
    assert not attempt_outcomes.mark_sent(connection, record.id, 1, make_update().receipt, LATER)


@pytest.mark.parametrize(
    "other",
    [
        make_update(5, account="A2"),
        make_update(5, external_id="ticket_6666"),
        make_update(5, metric=Metric.NPS),
        make_update(5, created_at=NOON + timedelta(minutes=6)),
        make_update(5, created_at=NOON - timedelta(minutes=6)),
    ],
    ids=["account", "external id", "metric", "too late", "too early"],
)
def test_an_update_of_another_survey_is_unmatched(connection: Connection, other: Update) -> None:
    insert_uncertain(connection)

    assert apply_update(connection, other, RECIPIENT_KEY, LATER) is UpdateOutcome.UNMATCHED
    assert stored_response(connection)["state"] == State.UNCERTAIN


def test_an_update_of_another_recipient_is_unmatched(connection: Connection) -> None:
    insert_uncertain(connection)

    assert apply_update(connection, make_update(5), "another recipient", LATER) is UpdateOutcome.UNMATCHED


def test_an_update_without_a_response_for_an_unknown_survey_is_ignored(connection: Connection) -> None:
    assert apply_update(connection, make_update(), RECIPIENT_KEY, LATER) is UpdateOutcome.IGNORED
    assert connection.execute(select(unmatched_responses)).all() == []


def test_an_early_response_is_matched_once_its_survey_is_sent(connection: Connection) -> None:
    record = insert_sending(connection, external_id="another_id")
    for early in (make_update(comment="Slow."), make_update(2, at=20), make_update(1, at=30)):
        assert apply_update(connection, early, RECIPIENT_KEY, NOON) is UpdateOutcome.UNMATCHED
    assert match_unmatched(connection, NOON, 10) == ([], [], [], [])
    attempt_outcomes.mark_sent(connection, record.id, 1, make_update().receipt, NOON)

    matched = match_unmatched(connection, NOON, 10)
    assert (matched.applied, matched.answered) == (["900"], [Metric.CSAT])
    found = stored_response(connection)
    assert (found["state"], found["rating"], found["comment"]) == (State.ANSWERED, 2, "Slow.")
    assert (found["waiting"], found["low"]) == ([], True)


def test_an_unmatched_response_expires_after_two_days(connection: Connection) -> None:
    apply_update(connection, make_update(5, feedback_id="901"), RECIPIENT_KEY, NOON)
    apply_update(connection, make_update(5, feedback_id="902"), RECIPIENT_KEY, NOON + timedelta(hours=1))
    apply_update(
        connection,
        make_update(comment="Hello?", feedback_id="901"),
        RECIPIENT_KEY,
        NOON + timedelta(hours=47),
    )

    assert match_unmatched(connection, NOON + UNMATCHED_RETENTION, 10).expired == ["901"]
    assert match_unmatched(connection, NOON + UNMATCHED_RETENTION, 10).expired == []


def test_a_rating_for_another_metric_is_invalid(connection: Connection) -> None:
    insert_sent(connection)

    assert (
        apply_update(connection, make_update(5, metric=Metric.NPS), RECIPIENT_KEY, LATER)
        is UpdateOutcome.INVALID
    )
    assert stored_response(connection)["rating"] is None


def test_an_invalid_unmatched_response_is_reported(connection: Connection) -> None:
    apply_update(connection, make_update(9, metric=Metric.NPS), RECIPIENT_KEY, NOON)
    insert_sent(connection)

    assert match_unmatched(connection, NOON, 10) == ([], [], ["900"], [])
    assert stored_response(connection)["waiting"] == []


def test_a_late_response_to_an_expired_survey_counts(connection: Connection) -> None:
    insert_sent(connection)
    connection.execute(update(surveys).values(state=State.EXPIRED, poll_at=None))
    apply_update(connection, make_update(1), RECIPIENT_KEY, LATER)

    assert (stored_response(connection)["state"], stored_response(connection)["low"]) == (
        State.ANSWERED,
        True,
    )


def test_an_earlier_high_rating_replaces_a_low_one_and_its_follow_up(
    connection: Connection,
) -> None:
    insert_sent(connection)
    apply_update(connection, make_update(1, at=20), RECIPIENT_KEY, LATER)
    apply_update(connection, make_update(5, at=10), RECIPIENT_KEY, LATER)

    found = stored_response(connection)
    assert (found["rating"], found["low"], found["outbox"]) == (5, False, {"sent", "answered"})


def test_responses_of_an_erased_customer_are_ignored(connection: Connection) -> None:
    insert_sent(connection)
    connection.execute(update(outbox).values(due_at=None))
    assert erasure.erase(connection, newest_survey_id(connection), LATER)

    assert apply_update(connection, make_update(1, "Slow."), RECIPIENT_KEY, LATER) is UpdateOutcome.IGNORED
    assert (
        apply_update(connection, make_update(1, "Slow.", feedback_id="other"), RECIPIENT_KEY, LATER)
        is UpdateOutcome.IGNORED
    )
    assert stored_response(connection)["waiting"] == []
    assert stored_response(connection)["rating"] is None


async def test_concurrent_updates_of_one_response_are_applied_once(database: Database) -> None:
    await database.run(insert_uncertain)
    updates = [make_update(2, "Slow."), make_update(2), make_update(comment="Slow.")]
    outcomes = await asyncio.gather(
        *(database.run(apply_update, update_, RECIPIENT_KEY, LATER) for update_ in updates * 12)
    )

    assert outcomes.count(UpdateOutcome.ANSWERED) == 1
    assert set(outcomes) == {UpdateOutcome.ANSWERED, UpdateOutcome.APPLIED}
    found = await database.run(stored_response)
    assert (found["rating"], found["comment"], found["low"]) == (2, "Slow.", True)
    kinds = await database.run(lambda c: list(c.execute(select(outbox.c.kind)).scalars()))
    assert Counter(kinds) == {"uncertain": 1, "sent": 1, "answered": 1, "low_rating": 1}


async def test_concurrent_unmatched_updates_are_stored_once(database: Database) -> None:
    updates = [make_update(rating, at=rating) for rating in (5, 4, 3, 2, 1)] * 8
    outcomes = await asyncio.gather(
        *(database.run(apply_update, update_, RECIPIENT_KEY, LATER) for update_ in updates)
    )

    assert set(outcomes) == {UpdateOutcome.UNMATCHED}
    rows = await database.run(
        lambda c: [tuple(row) for row in c.execute(select(unmatched_responses.c.rating))]
    )
    assert rows == [(1,)]


async def test_a_response_and_the_receipt_of_its_survey_do_not_conflict(
    databases: Databases, tmp_path: Path
) -> None:
    url = databases.make("postgresql", tmp_path)
    database, other_instance = Database(url, GENEROUS), Database(url, GENEROUS)
    record = await database.run(lambda connection: insert_sending(connection, "V1"))
    locked = threading.Event()

    def apply_while_receipt_waits(connection: Connection) -> UpdateOutcome:
        connection.execute(select(surveys).with_for_update())
        locked.set()
        waiting = text("select 1 from pg_stat_activity where wait_event_type = 'Lock'")
        while not connection.execute(waiting).first():
            connection.execute(text("select pg_stat_clear_snapshot()"))
        return apply_update(connection, make_update(4), RECIPIENT_KEY, LATER)

    applying = asyncio.create_task(database.run(apply_while_receipt_waits))
    await asyncio.to_thread(locked.wait)
    late = await other_instance.run(attempt_outcomes.mark_sent, record.id, 1, make_update().receipt, LATER)

    assert (await applying, late) == (UpdateOutcome.ANSWERED, None)
    assert (await database.read(stored_response))["outbox"] == {"sent", "answered"}
    database.close()
    other_instance.close()

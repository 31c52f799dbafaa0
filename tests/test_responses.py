"""Answers in the ledger: by whichever way they come, and in whatever order, the same is known in the end."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text, update

from csat.db import erasure, send_queue
from csat.db.database import Database, open_engine
from csat.db.responses import UNMATCHED_RETENTION, UpdateOutcome, apply_update, match_unmatched
from csat.db.survey_records import SurveyRecord
from csat.db.tables import outbox, surveys, unmatched_responses
from csat.surveys.questions import Metric
from csat.surveys.responses import Update
from csat.surveys.states import State
from tests.databases import KINDS, Databases
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


@pytest.fixture(name="engine", params=KINDS, scope="module")
def _engine(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Engine]:
    engine = open_engine(databases.make(request.param, tmp_path_factory.mktemp("responses")))
    yield engine
    engine.dispose()


@pytest.fixture(name="connection")
def _connection(engine: Engine) -> Iterator[Connection]:
    """A transaction that is undone."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def test_an_answer_is_kept_and_the_confirmation_and_the_supervisors_are_to_be_told(
    connection: Connection,
) -> None:
    insert_sent(connection)

    assert apply_update(connection, make_update(2, "Slow."), RECIPIENT_KEY, LATER) is UpdateOutcome.APPLIED
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
def test_only_a_low_rating_of_no_test_is_followed_up(
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


def test_x_is_asked_for_the_comment_until_that_has_come_too(connection: Connection) -> None:
    insert_sent(connection)
    asked = []
    for update_ in (make_update(), make_update(5), make_update(5, "Fine.")):
        apply_update(connection, update_, RECIPIENT_KEY, LATER)
        asked.append(connection.execute(select(surveys.c.poll_at)).scalar_one())

    assert asked == [NOON + timedelta(minutes=1), NOON + timedelta(minutes=1), None]


def test_a_comment_without_a_rating_is_no_answer_yet(connection: Connection) -> None:
    insert_sent(connection)
    apply_update(connection, make_update(comment="Fine."), RECIPIENT_KEY, LATER)

    assert (stored_response(connection)["state"], stored_response(connection)["comment"]) == (
        State.SENT,
        "Fine.",
    )


@pytest.mark.parametrize("make", [insert_sending, insert_uncertain, insert_confirmed])
def test_an_update_settles_what_x_never_gave_a_receipt_for(
    connection: Connection, make: Callable[[Connection], SurveyRecord]
) -> None:
    entry = make(connection)

    assert apply_update(connection, make_update(), RECIPIENT_KEY, LATER) is UpdateOutcome.APPLIED
    found = stored_response(connection)
    assert (found["state"], found["feedback_id"]) == (State.SENT, "900")
    assert "sent" in found["outbox"]
    assert not send_queue.mark_sent(connection, entry.id, 1, make_update().receipt, LATER)


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
def test_an_update_of_something_else_settles_nothing_and_waits(connection: Connection, other: Update) -> None:
    insert_uncertain(connection)

    assert apply_update(connection, other, RECIPIENT_KEY, LATER) is UpdateOutcome.UNMATCHED
    assert stored_response(connection)["state"] == State.UNCERTAIN


def test_an_update_of_somebody_else_settles_nothing(connection: Connection) -> None:
    insert_uncertain(connection)

    assert apply_update(connection, make_update(5), "somebody else", LATER) is UpdateOutcome.UNMATCHED


def test_news_without_an_answer_of_a_survey_that_is_not_ours_are_not_kept(connection: Connection) -> None:
    assert apply_update(connection, make_update(), RECIPIENT_KEY, LATER) is UpdateOutcome.IGNORED
    assert connection.execute(select(unmatched_responses)).all() == []


def test_an_answer_that_comes_before_its_survey_waits_and_joins_it(connection: Connection) -> None:
    entry = insert_sending(connection, external_id="changed on the way")
    for early in (make_update(comment="Slow."), make_update(2, at=20), make_update(1, at=30)):
        assert apply_update(connection, early, RECIPIENT_KEY, NOON) is UpdateOutcome.UNMATCHED
    assert match_unmatched(connection, NOON, 10) == ([], [], [])
    send_queue.mark_sent(connection, entry.id, 1, make_update().receipt, NOON)

    assert match_unmatched(connection, NOON, 10).applied == ["900"]
    found = stored_response(connection)
    assert (found["state"], found["rating"], found["comment"]) == (State.ANSWERED, 2, "Slow.")
    assert (found["waiting"], found["low"]) == ([], True)


def test_an_answer_whose_survey_never_comes_is_dropped_after_two_days(connection: Connection) -> None:
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


def test_a_rating_for_another_metric_is_impossible(connection: Connection) -> None:
    insert_sent(connection)

    assert (
        apply_update(connection, make_update(5, metric=Metric.NPS), RECIPIENT_KEY, LATER)
        is UpdateOutcome.INVALID
    )
    assert stored_response(connection)["rating"] is None


def test_what_waited_and_is_impossible_is_named(connection: Connection) -> None:
    apply_update(connection, make_update(9, metric=Metric.NPS), RECIPIENT_KEY, NOON)
    insert_sent(connection)

    assert match_unmatched(connection, NOON, 10) == ([], ["900"], [])
    assert stored_response(connection)["waiting"] == []


def test_a_late_answer_of_an_expired_survey_counts(connection: Connection) -> None:
    insert_sent(connection)
    connection.execute(update(surveys).values(state=State.EXPIRED, poll_at=None))
    apply_update(connection, make_update(1), RECIPIENT_KEY, LATER)

    assert (stored_response(connection)["state"], stored_response(connection)["low"]) == (
        State.ANSWERED,
        True,
    )


def test_of_two_ratings_the_earlier_one_stands_and_the_low_one_is_closed_unseen(
    connection: Connection,
) -> None:
    insert_sent(connection)
    apply_update(connection, make_update(1, at=20), RECIPIENT_KEY, LATER)
    apply_update(connection, make_update(5, at=10), RECIPIENT_KEY, LATER)

    found = stored_response(connection)
    assert (found["rating"], found["low"], found["outbox"]) == (5, False, {"sent", "answered"})


def test_nothing_is_kept_of_somebody_who_was_forgotten(connection: Connection) -> None:
    insert_sent(connection)
    connection.execute(update(outbox).values(due_at=None))
    assert erasure.erase(connection, newest_survey_id(connection))

    assert apply_update(connection, make_update(1, "Slow."), RECIPIENT_KEY, LATER) is UpdateOutcome.IGNORED
    assert (
        apply_update(connection, make_update(1, "Slow.", feedback_id="other"), RECIPIENT_KEY, LATER)
        is UpdateOutcome.IGNORED
    )
    assert stored_response(connection)["waiting"] == []
    assert stored_response(connection)["rating"] is None


async def test_the_same_answer_at_once_by_every_way_is_one_answer(database: Database) -> None:
    await database.run(insert_uncertain)
    both = [make_update(2, "Slow."), make_update(2), make_update(comment="Slow.")]
    outcomes = await asyncio.gather(
        *(database.run(apply_update, one, RECIPIENT_KEY, LATER) for one in both * 12)
    )

    assert set(outcomes) == {UpdateOutcome.APPLIED}
    found = await database.run(stored_response)
    assert (found["rating"], found["comment"], found["low"]) == (2, "Slow.", True)
    kinds = await database.run(lambda c: list(c.execute(select(outbox.c.kind)).scalars()))
    assert Counter(kinds) == {"uncertain": 1, "sent": 1, "answered": 1, "low_rating": 1}


async def test_strangers_at_once_are_kept_once(database: Database) -> None:
    many = [make_update(rating, at=rating) for rating in (5, 4, 3, 2, 1)] * 8
    outcomes = await asyncio.gather(*(database.run(apply_update, one, RECIPIENT_KEY, LATER) for one in many))

    assert set(outcomes) == {UpdateOutcome.UNMATCHED}
    rows = await database.run(
        lambda c: [tuple(row) for row in c.execute(select(unmatched_responses.c.rating))]
    )
    assert rows == [(1,)]


async def test_an_answer_and_the_receipt_of_its_survey_wait_for_each_other(
    databases: Databases, tmp_path: Path
) -> None:
    database = Database(databases.make("postgresql", tmp_path))
    entry = await database.run(lambda connection: insert_sending(connection, "V1"))
    locked = threading.Event()

    def answer(connection: Connection) -> UpdateOutcome:
        connection.execute(select(surveys).with_for_update())
        locked.set()
        waiting = text("select 1 from pg_stat_activity where wait_event_type = 'Lock'")
        while not connection.execute(waiting).first():
            connection.execute(text("select pg_stat_clear_snapshot()"))
        return apply_update(connection, make_update(4), RECIPIENT_KEY, LATER)

    answering = asyncio.create_task(database.run(answer))
    await asyncio.to_thread(locked.wait)
    late = await database.run(send_queue.mark_sent, entry.id, 1, make_update().receipt, LATER)

    assert (await answering, late) == (UpdateOutcome.APPLIED, None)
    assert (await database.read(stored_response))["outbox"] == {"sent", "answered"}
    database.close()

"""What answers on the rating page do in the database."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, select, update

from csat.db import opt_outs, outbox, rating_page_answers, reconciliation, send_queue, tables
from csat.db.database import Database
from csat.db.engines import open_engine
from csat.db.rating_link_secrets import load_rating_link_secrets
from csat.db.survey_records import SENT_AGAIN, SurveyRecord, Wait
from csat.db.survey_transitions import AlreadySettled
from csat.surveys.limits import DAY
from csat.surveys.rating_page import ANSWER_WINDOW, CommentTooLong, parse_comment
from csat.surveys.responses import Response
from csat.surveys.states import State
from tests.databases import KINDS, Databases
from tests.factories import (
    LATER,
    NOON,
    insert_accepted,
    insert_confirmed,
    insert_sending,
    insert_sent,
    insert_uncertain,
    make_update,
    stored_response,
)

RECEIPT = make_update().receipt


@pytest.fixture(name="engine", params=KINDS, scope="module")
def _engine(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Engine]:
    engine = open_engine(databases.make(request.param, tmp_path_factory.mktemp("answers")))
    yield engine
    engine.dispose()


@pytest.fixture(name="connection")
def _connection(engine: Engine) -> Iterator[Connection]:
    """A transaction that is rolled back."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def ask_on_page(connection: Connection, record: SurveyRecord, **columns: object) -> int:
    """Let a survey be one with a link to the page, and return its number."""
    tables_update = update(tables.surveys).where(tables.surveys.c.id == record.id)
    connection.execute(tables_update.values(transport="x_link", **columns))
    return record.id


def row_of(connection: Connection, survey_id: int) -> dict[str, object]:
    query = select(tables.surveys).where(tables.surveys.c.id == survey_id)
    return dict(connection.execute(query).mappings().one())


def kinds_in_outbox(connection: Connection) -> set[str]:
    return set(connection.execute(select(tables.outbox.c.kind)).scalars())


@pytest.mark.parametrize(
    "make", [insert_accepted, insert_sending, insert_uncertain, insert_confirmed, insert_sent]
)
def test_an_answer_shows_that_its_survey_was_sent(
    connection: Connection, make: Callable[[Connection], SurveyRecord]
) -> None:
    survey_id = ask_on_page(connection, make(connection))

    rated = rating_page_answers.rate(connection, survey_id, 5, LATER)

    assert rated
    assert rated.is_first
    row = row_of(connection, survey_id)
    assert (row["state"], row["rating"], row["reconcile_at"]) == (State.ANSWERED, 5, None)
    assert row["sent_at"]
    assert {"sent", "answered"} <= kinds_in_outbox(connection)


@pytest.mark.parametrize("make", [insert_sending, insert_uncertain])
def test_the_receipt_that_comes_after_the_answer_is_stored_without_another_confirmation(
    connection: Connection, make: Callable[[Connection], SurveyRecord]
) -> None:
    survey_id = ask_on_page(connection, make(connection))
    rating_page_answers.rate(connection, survey_id, 5, LATER)

    assert send_queue.mark_sent(connection, survey_id, 1, RECEIPT, LATER) is None

    row = row_of(connection, survey_id)
    assert (row["state"], row["feedback_id"], row["rating"]) == (State.ANSWERED, RECEIPT.id, 5)


def test_no_other_outcome_of_its_attempt_changes_an_answered_survey(connection: Connection) -> None:
    survey = insert_sending(connection)
    survey_id = ask_on_page(connection, survey)
    rating_page_answers.rate(connection, survey_id, 5, LATER)

    wait = Wait(reason="RateLimited", until=LATER)
    assert not send_queue.reschedule(connection, survey_id, 1, wait, "429", LATER)
    assert send_queue.refuse(connection, survey_id, 1, SENT_AGAIN, "403", LATER) is None
    assert send_queue.mark_stalled(connection, LATER + DAY) == []

    assert row_of(connection, survey_id)["state"] == State.ANSWERED


def test_a_survey_that_waits_is_not_sent_once_it_was_answered(connection: Connection) -> None:
    survey = insert_accepted(connection)
    survey_id = ask_on_page(connection, survey)

    rating_page_answers.rate(connection, survey_id, 5, LATER)

    assert send_queue.begin_attempt(connection, survey, "one", LATER) is None
    assert send_queue.claim(connection, ("A1",), "two", LATER + DAY, 10) == []


def test_the_requester_can_not_settle_what_an_answer_has_settled(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_uncertain(connection))
    rating_page_answers.rate(connection, survey_id, 5, LATER)

    with pytest.raises(AlreadySettled):
        reconciliation.confirm_arrival(connection, survey_id, "T012AB3CD", "U012AB3CD", LATER)


def test_the_link_of_a_survey_that_was_sent_again_leads_to_its_successor(connection: Connection) -> None:
    first = ask_on_page(connection, insert_sending(connection), state=State.REFUSED, reason=SENT_AGAIN.reason)
    second = ask_on_page(connection, insert_sending(connection, f"again:{first}"))

    rating_page_answers.rate(connection, first, 4, LATER)

    assert (row_of(connection, first)["rating"], row_of(connection, second)["rating"]) == (None, 4)
    assert row_of(connection, second)["state"] == State.ANSWERED


def test_a_changed_rating_keeps_the_moment_of_the_first(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))
    rating_page_answers.rate(connection, survey_id, 5, LATER)

    changed = rating_page_answers.rate(connection, survey_id, 1, LATER + timedelta(minutes=14))
    too_late = rating_page_answers.rate(connection, survey_id, 3, LATER + timedelta(minutes=15))

    assert changed
    assert too_late
    assert (changed.is_first, too_late.page) == (False, changed.page)
    row = row_of(connection, survey_id)
    assert (row["rating"], row["rated_at"]) == (1, LATER)
    assert stored_response(connection)["low"]


def test_an_alert_that_was_posted_shows_each_change_of_the_rating(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))
    rating_page_answers.rate(connection, survey_id, 1, LATER)
    alert = next(
        found
        for found in outbox.claim_notifications(connection, "T012AB3CD", LATER, 10)
        if found.kind == outbox.NotificationKind.LOW_RATING
    )
    outbox.mark_sent(connection, alert, "C1", "1.0", LATER)

    for rating, is_low in ((5, False), (2, True)):
        rating_page_answers.rate(connection, survey_id, rating, LATER)
        due = outbox.claim_notifications(connection, "T012AB3CD", LATER, 10)
        assert [found.kind for found in due] == [outbox.NotificationKind.FOLLOW_UP]
        assert stored_response(connection)["low"] is is_low


def test_a_rating_in_a_test_is_not_followed_up(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection, test=True))

    rating_page_answers.rate(connection, survey_id, 1, LATER)

    assert not stored_response(connection)["low"]


def test_an_uncertain_survey_that_is_disowned_was_sent(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_uncertain(connection))

    page = rating_page_answers.disown(connection, survey_id, LATER)

    assert page
    assert page.disowned_at == LATER
    row = row_of(connection, survey_id)
    assert (row["state"], row["disowned_at"], row["rating"]) == (State.SENT, LATER, None)
    assert "sent" in kinds_in_outbox(connection)


def test_what_was_disowned_takes_nothing_any_more(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))
    page = rating_page_answers.disown(connection, survey_id, LATER)

    rated = rating_page_answers.rate(connection, survey_id, 1, LATER)

    assert rated
    assert rated.page == page == rating_page_answers.comment(connection, survey_id, "Who?", LATER)
    assert rating_page_answers.find(connection, survey_id, int(NOON.timestamp())) == page
    assert page.response == Response()


def test_a_survey_without_an_answer_takes_no_comment(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))

    rating_page_answers.comment(connection, survey_id, "Hello?", LATER)

    assert row_of(connection, survey_id)["comment"] is None


def test_a_survey_takes_no_answer_after_28_days(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))

    rating_page_answers.rate(connection, survey_id, 5, NOON + ANSWER_WINDOW)
    rating_page_answers.disown(connection, survey_id, NOON + ANSWER_WINDOW)

    row = row_of(connection, survey_id)
    assert (row["state"], row["rating"], row["disowned_at"]) == (State.SENT, None, None)


def test_opting_out_is_recorded_once_without_the_name_of_a_user(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))

    for _ in range(2):
        page = rating_page_answers.opt_out(connection, survey_id, LATER)
        assert page
        assert page.has_opted_out

    row = row_of(connection, survey_id)
    found = opt_outs.find(connection, str(row["recipient_key"]))
    assert found
    assert (found.recorded_at, found.how, found.by) == (LATER, "rating page", "")


@pytest.mark.parametrize("answer", [rating_page_answers.disown, rating_page_answers.opt_out])
def test_no_answer_is_taken_for_an_unknown_survey(
    connection: Connection, answer: Callable[..., object]
) -> None:
    by_card = insert_sent(connection).id

    for survey_id in (by_card, 10**9):
        assert answer(connection, survey_id, LATER) is None
        assert rating_page_answers.rate(connection, survey_id, 5, LATER) is None
        assert rating_page_answers.comment(connection, survey_id, "Hello?", LATER) is None
    assert row_of(connection, by_card)["rating"] is None


async def test_all_instances_have_the_same_secret(database: Database) -> None:
    first = await database.run(load_rating_link_secrets)

    assert await database.run(load_rating_link_secrets) == first
    assert len(first[0]) >= 32


def test_a_comment_is_cleaned_before_it_is_measured() -> None:
    assert parse_comment("  Two\r\nlines\x00\x1b \n") == "Two\nlines"
    assert len(parse_comment("x" * 2_000 + "  ")) == 2_000
    with pytest.raises(CommentTooLong):
        parse_comment("x" * 2_001)

"""Answers on the rating page and in Slack are stored in the database."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from csat.db import attempt_outcomes, customer_answers, opt_outs, outbox, reconciliation, send_queue, tables
from csat.db.customer_answers import Given, Outcome
from csat.db.survey_records import SENT_AGAIN, SurveyRecord, Wait
from csat.db.survey_transitions import AlreadySettled
from csat.surveys.customer_survey import ANSWER_WINDOW, CommentTooLong, CustomerSurvey, parse_comment
from csat.surveys.limits import DAY
from csat.surveys.opt_outs import How
from csat.surveys.responses import Response
from csat.surveys.states import State
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


def ask_on_page(connection: Connection, record: SurveyRecord, **columns: object) -> int:
    """Let a survey be one with a link to the page, and return its number."""
    tables_update = update(tables.surveys).where(tables.surveys.c.id == record.id)
    connection.execute(tables_update.values({"transport": "x_link", **columns}))
    return record.id


def ask_in_slack(connection: Connection, record: SurveyRecord, **columns: object) -> int:
    """Let a survey be one in Slack, whose message is not known, and return its number."""
    return ask_on_page(connection, record, **{"transport": "slack", "feedback_id": None, **columns})


def row_of(connection: Connection, survey_id: int) -> dict[str, object]:
    query = select(tables.surveys).where(tables.surveys.c.id == survey_id)
    return dict(connection.execute(query).mappings().one())


def kinds_in_outbox(connection: Connection) -> set[str]:
    return set(connection.execute(select(tables.outbox.c.kind)).scalars())


def opt_out_on_page(connection: Connection, survey_id: int, now: datetime) -> CustomerSurvey | None:
    return customer_answers.opt_out(connection, survey_id, How.RATING_PAGE, now)


@pytest.mark.parametrize(
    "make", [insert_accepted, insert_sending, insert_uncertain, insert_confirmed, insert_sent]
)
def test_an_answer_shows_that_its_survey_was_sent(
    connection: Connection, make: Callable[[Connection], SurveyRecord]
) -> None:
    survey_id = ask_on_page(connection, make(connection))

    rated = customer_answers.rate(connection, survey_id, 5, LATER)

    assert rated
    assert rated.outcome is Outcome.FIRST
    row = row_of(connection, survey_id)
    assert (row["state"], row["rating"], row["reconcile_at"]) == (State.ANSWERED, 5, None)
    assert row["sent_at"]
    assert {"sent", "answered"} <= kinds_in_outbox(connection)


@pytest.mark.parametrize("make", [insert_sending, insert_uncertain])
def test_the_receipt_that_comes_after_the_answer_is_stored_without_another_confirmation(
    connection: Connection, make: Callable[[Connection], SurveyRecord]
) -> None:
    survey_id = ask_on_page(connection, make(connection))
    customer_answers.rate(connection, survey_id, 5, LATER)

    assert attempt_outcomes.mark_sent(connection, survey_id, 1, RECEIPT, LATER) is None

    row = row_of(connection, survey_id)
    assert (row["state"], row["feedback_id"], row["rating"]) == (State.ANSWERED, RECEIPT.id, 5)


def test_no_other_outcome_of_its_attempt_changes_an_answered_survey(connection: Connection) -> None:
    survey = insert_sending(connection)
    survey_id = ask_on_page(connection, survey)
    customer_answers.rate(connection, survey_id, 5, LATER)

    wait = Wait(reason="RateLimited", until=LATER)
    assert not attempt_outcomes.reschedule(connection, survey_id, 1, wait, "429", LATER)
    assert attempt_outcomes.refuse(connection, survey_id, 1, SENT_AGAIN, "403", LATER) is None
    assert attempt_outcomes.mark_stalled(connection, LATER + DAY) == []

    assert row_of(connection, survey_id)["state"] == State.ANSWERED


def test_a_survey_that_waits_is_not_sent_once_it_was_answered(connection: Connection) -> None:
    survey = insert_accepted(connection)
    survey_id = ask_on_page(connection, survey)

    customer_answers.rate(connection, survey_id, 5, LATER)

    assert send_queue.begin_attempt(connection, survey, "one", LATER) is None
    assert send_queue.claim(connection, ("A1",), "two", LATER + DAY, 10) == []


def test_the_requester_can_not_settle_what_an_answer_has_settled(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_uncertain(connection))
    customer_answers.rate(connection, survey_id, 5, LATER)

    with pytest.raises(AlreadySettled):
        reconciliation.confirm_arrival(connection, survey_id, "T012AB3CD", "U012AB3CD", LATER)


def test_the_link_of_a_survey_that_was_sent_again_leads_to_its_successor(connection: Connection) -> None:
    first = ask_on_page(connection, insert_sending(connection), state=State.REFUSED, reason=SENT_AGAIN.reason)
    second = ask_on_page(connection, insert_sending(connection, f"again:{first}"))

    customer_answers.rate(connection, first, 4, LATER)

    assert (row_of(connection, first)["rating"], row_of(connection, second)["rating"]) == (None, 4)
    assert row_of(connection, second)["state"] == State.ANSWERED


def test_a_changed_rating_keeps_the_moment_of_the_first(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))
    customer_answers.rate(connection, survey_id, 5, LATER)

    changed = customer_answers.rate(connection, survey_id, 1, LATER + timedelta(minutes=14))
    too_late = customer_answers.rate(connection, survey_id, 3, LATER + timedelta(minutes=15))

    assert changed
    assert too_late
    assert (changed.outcome, too_late.outcome) == (Outcome.HOLDS, Outcome.LATE)
    assert too_late.survey == changed.survey
    row = row_of(connection, survey_id)
    assert (row["rating"], row["rated_at"]) == (1, LATER)
    assert stored_response(connection)["low"]


def test_the_rating_that_was_chosen_last_holds_whatever_the_order_of_the_requests(
    connection: Connection,
) -> None:
    survey_id = ask_in_slack(connection, insert_sent(connection))
    presses = {seconds: LATER + timedelta(seconds=seconds) for seconds in range(4)}

    for seconds, value in ((0, 4), (3, 4), (2, 1), (0, 4), (1, 5)):
        customer_answers.rate(connection, survey_id, value, LATER, chosen_at=presses[seconds])

    assert row_of(connection, survey_id)["rating"] == 4
    assert not stored_response(connection)["low"]


def test_the_message_of_a_survey_is_known_once_its_customer_has_used_it(connection: Connection) -> None:
    first = ask_in_slack(connection, insert_uncertain(connection), state=State.REFUSED, reason="SentAgain")
    second = ask_in_slack(connection, insert_sending(connection, f"again:{first}"))

    customer_answers.rate(connection, first, 4, LATER, receipt_id="D1/1.0")
    customer_answers.opt_out(connection, second, How.SLACK, LATER, receipt_id="D1/2.0")
    customer_answers.rate(connection, first, 5, LATER, receipt_id="D1/3.0")

    assert (row_of(connection, first)["feedback_id"], row_of(connection, second)["feedback_id"]) == (
        "D1/1.0",
        "D1/2.0",
    )
    assert row_of(connection, second)["rating"] == 5


@pytest.mark.parametrize("comment", ["Slow.", ""])
def test_a_whole_answer_is_stored_once(connection: Connection, comment: str) -> None:
    survey_id = ask_in_slack(connection, insert_uncertain(connection))
    given = Given(1, comment)

    answers = [customer_answers.answer(connection, survey_id, given, LATER) for _ in range(2)]

    assert [answer.outcome for answer in answers if answer] == [Outcome.FIRST, Outcome.HOLDS]
    row = row_of(connection, survey_id)
    assert (row["rating"], row["comment"]) == (1, comment or None)


def test_an_alert_that_was_posted_shows_each_change_of_the_rating(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))
    customer_answers.rate(connection, survey_id, 1, LATER)
    alert = next(
        found
        for found in outbox.claim_notifications(connection, "T012AB3CD", LATER, 10)
        if found.kind == outbox.NotificationKind.LOW_RATING
    )
    outbox.mark_sent(connection, alert, "C1", "1.0", LATER)

    for rating, is_low in ((5, False), (2, True)):
        customer_answers.rate(connection, survey_id, rating, LATER)
        due = outbox.claim_notifications(connection, "T012AB3CD", LATER, 10)
        assert [found.kind for found in due] == [outbox.NotificationKind.FOLLOW_UP]
        assert stored_response(connection)["low"] is is_low


def test_a_rating_in_a_test_is_not_followed_up(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection, test=True))

    customer_answers.rate(connection, survey_id, 1, LATER)

    assert not stored_response(connection)["low"]


def test_an_uncertain_survey_that_is_disowned_was_sent(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_uncertain(connection))

    page = customer_answers.disown(connection, survey_id, LATER)

    assert page
    assert page.disowned_at == LATER
    row = row_of(connection, survey_id)
    assert (row["state"], row["disowned_at"], row["rating"]) == (State.SENT, LATER, None)
    assert "sent" in kinds_in_outbox(connection)


def test_what_was_disowned_takes_nothing_any_more(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))
    page = customer_answers.disown(connection, survey_id, LATER)

    rated = customer_answers.rate(connection, survey_id, 1, LATER)

    assert rated
    assert rated.survey == page == customer_answers.comment(connection, survey_id, "Who?", LATER)
    assert customer_answers.find(connection, survey_id, int(NOON.timestamp())) == page
    assert page.response == Response()


def test_a_survey_without_an_answer_takes_no_comment(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))

    customer_answers.comment(connection, survey_id, "Hello?", LATER)

    assert row_of(connection, survey_id)["comment"] is None


def test_a_survey_takes_no_answer_after_28_days(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))

    customer_answers.rate(connection, survey_id, 5, NOON + ANSWER_WINDOW)
    customer_answers.disown(connection, survey_id, NOON + ANSWER_WINDOW)

    row = row_of(connection, survey_id)
    assert (row["state"], row["rating"], row["disowned_at"]) == (State.SENT, None, None)


def test_opting_out_is_recorded_once_without_the_name_of_a_user(connection: Connection) -> None:
    survey_id = ask_on_page(connection, insert_sent(connection))

    for _ in range(2):
        page = customer_answers.opt_out(connection, survey_id, How.RATING_PAGE, LATER)
        assert page
        assert page.has_opted_out

    row = row_of(connection, survey_id)
    found = opt_outs.find(connection, str(row["recipient_key"]))
    assert found
    assert (found.recorded_at, found.how, found.by) == (LATER, "rating page", "")


@pytest.mark.parametrize("answer", [customer_answers.disown, opt_out_on_page])
def test_no_answer_is_taken_for_an_unknown_survey(
    connection: Connection, answer: Callable[..., object]
) -> None:
    by_card = insert_sent(connection).id

    for survey_id in (by_card, 10**9):
        assert answer(connection, survey_id, LATER) is None
        assert customer_answers.rate(connection, survey_id, 5, LATER) is None
        assert customer_answers.comment(connection, survey_id, "Hello?", LATER) is None
    assert row_of(connection, by_card)["rating"] is None


def test_a_comment_is_cleaned_before_it_is_measured() -> None:
    assert parse_comment("  Two\r\nlines\x00\x1b \n") == "Two\nlines"
    assert len(parse_comment("x" * 2_000 + "  ")) == 2_000
    with pytest.raises(CommentTooLong):
        parse_comment("x" * 2_001)

"""Every query of the app uses an index."""

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, insert, text, update

from csat.db import (
    account_pauses,
    account_scope,
    attempt_outcomes,
    backlog,
    erasure,
    follow_ups,
    incoming_updates,
    limits,
    low_ratings,
    opt_outs,
    outbox,
    poll_queue,
    reconciliation,
    send_queue,
    submissions,
    surveys_by_requester,
    tables,
)
from csat.db.engines import open_engine
from csat.db.poll_budget_and_sweeps import claim_sweep, ensure_feed, mark_swept
from csat.db.survey_records import to_columns
from csat.reporting import export_queries, report_queries
from csat.reporting.export_rows import Selection
from csat.reporting.own_survey_counts import count_own
from csat.reporting.periods import last_days
from csat.reporting.report_model import Filters
from csat.surveys.limits import Denied, Limits
from csat.surveys.opt_outs import How
from csat.surveys.questions import Metric
from csat.surveys.recipients import XAccount
from csat.surveys.states import State
from csat.surveys.transports import TransportName
from tests.databases import Databases
from tests.factories import NOON, make_origin, make_survey, make_update
from tests.plans import Plans
from tests.timeouts import GENEROUS

ROWS = 2_000
LIMITS = Limits()
RECEIPT = make_update().receipt

CSAT = Filters(team="T012AB3CD", metric=Metric.CSAT, exclude_requesters=frozenset({"U2"}))
PERIOD = last_days(1, NOON - timedelta(days=30), ZoneInfo("UTC"))


def poll(connection: Connection) -> None:
    """Claim surveys to poll, and a span of events to sweep."""
    ensure_feed(connection, "A1")
    claimed = poll_queue.claim(connection, "A1", NOON, 8)
    poll_queue.release(connection, "A1", claimed)
    if span := claim_sweep(connection, "A1", NOON):
        mark_swept(connection, "A1", span, NOON)


def refuse_overdue(connection: Connection) -> None:
    """Pause an account, and refuse the surveys that have waited for it too long."""
    account_pauses.ensure_account(connection, "A1")
    account_pauses.pause(
        connection, "A1", "InvalidCredentials", "Send a new survey.", NOON, concerns_all_requests=True
    )
    send_queue.refuse_overdue(connection, "A1", NOON, NOON, 8)


def pause_again(connection: Connection) -> None:
    """Pause an account that was resumed, for the same cause."""
    account_pauses.ensure_account(connection, "A1")
    for _ in range(2):
        account_pauses.pause(
            connection, "A1", "OutOfCredit", "Send a new survey.", NOON, concerns_all_requests=False
        )
        connection.execute(update(tables.accounts).values(alerted_at=NOON))
        account_pauses.resume(connection, "A1", NOON)


def opt_out_and_lift(connection: Connection) -> None:
    """Record an opt-out, and lift it."""
    opt_out(connection, "customer 7")
    opt_outs.lift(connection, "customer 7", team="T1", by="U1", reason="They said so.", now=NOON)


def begin_after_opt_out(connection: Connection) -> None:
    """Accept a survey, and begin to send it when its customer has opted out."""
    new = submission("V-new")
    record = submissions.accept(connection, new, LIMITS, NOON)
    opt_out(connection, str(new.recipient_key))
    with contextlib.suppress(Denied):
        send_queue.begin_attempt(connection, record, "one", NOON)


def opt_out(connection: Connection, key: str) -> None:
    opt_outs.record(connection, key, how=How.FILE, team="", by="operator", reason="", now=NOON)


TRANSACTIONS: dict[str, Callable[[Connection], object]] = {
    "accepting": lambda connection: submissions.accept(connection, submission("V-new"), LIMITS, NOON),
    "accepting again": lambda connection: submissions.accept(connection, submission("V7"), LIMITS, NOON),
    "accepting an edited one": lambda connection: submissions.accept(
        connection, submission("edited:7:V-new"), LIMITS, NOON
    ),
    "sending": lambda connection: send(connection, submission("V-new")),
    "listing previous surveys": lambda connection: limits.list_previous(
        connection, "A1", "customer 7", XAccount(handle="grace")
    ),
    "finding what denies a recipient": lambda connection: limits.find_known_denial(
        connection, "A1", "customer 7", XAccount(handle="grace"), LIMITS, NOON
    ),
    "finding what denies a handle": lambda connection: limits.find_known_denial(
        connection, "A1", None, XAccount(handle="grace"), LIMITS, NOON
    ),
    "finding the opt-out of a handle": lambda connection: opt_outs.find_by_handle(
        connection, "A1", "customer_7"
    ),
    "recording and lifting an opt-out": opt_out_and_lift,
    "beginning an attempt after an opt-out": begin_after_opt_out,
    "checking the quota": lambda connection: limits.find_quota_denial(
        connection, "A1", TransportName.X_CARD, LIMITS, NOON
    ),
    "claiming": lambda connection: send_queue.claim(connection, ("A1",), "one", NOON, 8),
    "marking stalled surveys": lambda connection: attempt_outcomes.mark_stalled(connection, NOON),
    "erasing response_urls": lambda connection: send_queue.erase_response_urls(connection, NOON),
    "pausing again": pause_again,
    "refusing overdue surveys": refuse_overdue,
    "claiming uncertain surveys": lambda connection: reconciliation.claim_uncertain(
        connection, ("A1",), NOON, 8
    ),
    "probing a paused account": lambda connection: account_pauses.claim_probe(connection, "A1", NOON),
    "counting what waits for others": lambda connection: account_scope.count_waiting_for_others(
        connection, ("A1",)
    ),
    "counting what waits": lambda connection: backlog.read_backlog(connection, ("A1",)),
    "listing by requester": lambda connection: surveys_by_requester.list_by_requester(
        connection, "T012AB3CD", "U012AB3CD", 10
    ),
    "finding a person's last questions": lambda connection: surveys_by_requester.find_last_variants(
        connection, "T012AB3CD", "U012AB3CD"
    ),
    "counting surveys left out of an export": lambda connection: export_queries.count_left_out(
        connection, Selection(team="T012AB3CD", period=PERIOD, exclude_requester="U1")
    ),
    "counting by requester": lambda connection: count_own(
        connection, "T012AB3CD", "U012AB3CD", last_days(7, NOON, ZoneInfo("UTC"))
    ),
    "listing open follow-ups": lambda connection: low_ratings.list_open(connection, "T012AB3CD", 9, "U1"),
    "counting open follow-ups": lambda connection: low_ratings.summarize_open(
        connection, "T012AB3CD", {"U1"}
    ),
    "listing closed follow-ups": lambda connection: low_ratings.list_closed(connection, "T012AB3CD", 9, "U1"),
    "following up": lambda connection: follow_up(connection, 7),
    "applying an update": lambda connection: incoming_updates.apply_update(
        connection, make_update(1, "Slow.", feedback_id="X7"), "customer 7", NOON
    ),
    "applying an unmatched update": lambda connection: incoming_updates.apply_update(
        connection, make_update(1, "Slow."), "customer 7", NOON
    ),
    "matching updates": lambda connection: incoming_updates.match_unmatched(connection, NOON, 8),
    "polling": poll,
    "letting surveys expire": lambda connection: poll_queue.expire_unpolled(connection, NOON, 20),
    "erasing a customer": lambda connection: erasure.erase(connection, 7, NOON),
    "exporting": lambda connection: export_queries.fetch_page(
        connection,
        Selection(team="T012AB3CD", period=PERIOD),
        Metric.CSAT,
        export_queries.Cursor(PERIOD.begin, 1),
        8,
    ),
    "announcing what waits for others": lambda connection: outbox.enqueue_waiting_for_others(
        connection, ("A2",), NOON, NOON, 8
    ),
    "claiming notifications": lambda connection: outbox.claim_notifications(connection, "T012AB3CD", NOON, 8),
}


COUNTS: dict[str, Callable[[Connection], object]] = {
    "by agent and channel": lambda connection: report_queries.count_by_group(connection, CSAT, PERIOD, NOON),
    "of an agent": lambda connection: report_queries.count_by_group(
        connection, CSAT.model_copy(update={"agent": "U012AB3CD"}), PERIOD, NOON
    ),
    "of a channel and a question": lambda connection: report_queries.count_by_group(
        connection, CSAT.model_copy(update={"channel": "C012AB3CD", "variant": 0}), PERIOD, NOON
    ),
    "of a transport": lambda connection: report_queries.count_by_group(
        connection, CSAT.model_copy(update={"transport": TransportName.X_CARD}), PERIOD, NOON
    ),
    "of the previous period": lambda connection: report_queries.count_all(connection, CSAT, PERIOD, NOON),
    "of the first survey": lambda connection: report_queries.find_first_sent(
        connection, "T012AB3CD", Metric.CSAT
    ),
    "of low ratings": lambda connection: report_queries.count_low_ratings(connection, CSAT, PERIOD),
}


def submission(view_id: str) -> submissions.Submission:
    return submissions.Submission(
        view_id, make_survey(), make_origin(), "A1", "one", "customer of " + view_id
    )


def follow_up(connection: Connection, survey_id: int) -> None:
    """Reveal, take on and close a low rating, if there is one."""
    mine = (connection, survey_id, "T012AB3CD", "U1")
    with contextlib.suppress(follow_ups.FollowUpConflict):
        follow_ups.reveal(*mine, NOON)
        follow_ups.take(*mine, NOON)
        follow_ups.close(*mine, "Called.", NOON)


def send(connection: Connection, new: submissions.Submission) -> None:
    """Accept a survey, send it, and mark its notification as sent."""
    record = submissions.accept(connection, new, LIMITS, NOON)
    number = send_queue.begin_attempt(connection, record, "one", NOON)
    assert number
    notification = attempt_outcomes.mark_sent(connection, record.id, number, RECEIPT, NOON)
    assert notification
    outbox.mark_sent(connection, notification, "C1", "1.2", NOON)


MISSING_INDEX = {
    "sqlite": re.compile(r"SCAN (?!accounts|feeds|unmatched|CONSTANT ROW)|TEMP B-TREE|AUTOMATIC"),
    "postgresql": re.compile(r"Seq Scan on (?!accounts|feeds|unmatched)|Sort\b(?! Key)"),
}
"""Signs of a missing index in a plan; accounts, feeds and unmatched responses are few."""


def insert_rows(engine: Engine) -> None:
    """Insert settled surveys, each to another customer, and three that are due."""
    with engine.begin() as connection:
        account_pauses.ensure_account(connection, "A1")
        connection.execute(insert(tables.surveys), [settled_survey(number) for number in range(ROWS)])
        attempts = [
            {"survey_id": number + 1, "number": 1, "instance": "one", "started_at": NOON}
            for number in range(ROWS)
        ]
        connection.execute(insert(tables.attempts), attempts)
        notifications = [{"survey_id": number + 1, "kind": "sent", "attempts": 0} for number in range(ROWS)]
        connection.execute(insert(tables.outbox), notifications)
        connection.execute(insert(tables.follow_ups), [follow_up_row(number) for number in range(ROWS)])
        connection.execute(insert(tables.opt_outs), [opt_out_row(number) for number in range(ROWS)])
    for number in range(3):
        with engine.begin() as connection:
            due = submissions.accept(
                connection, submission(f"due {number}"), LIMITS, NOON - timedelta(hours=1)
            )
            outbox.enqueue_claimed(
                connection, due, outbox.NotificationKind.WAITING, NOON - timedelta(hours=1)
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # PostgreSQL needs an up-to-date visibility map for index-only scans
        connection.execute(text("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))


def follow_up_row(number: int) -> dict[str, Any]:
    """Return a follow-up; one in 500 is open."""
    opened_at = NOON - timedelta(minutes=number)
    closed_at = None if number % 500 == 6 else NOON
    return {"survey_id": number + 1, "team": "T012AB3CD", "opened_at": opened_at, "closed_at": closed_at}


def opt_out_row(number: int) -> dict[str, Any]:
    """Return the opt-out of a customer who was never asked; every other one is lifted."""
    lifted_at = NOON if number % 2 else None
    proof = {"recorded_at": NOON, "how": How.FILE, "team": "", "recorded_by": "operator", "reason": ""}
    return {"recipient_key": f"customer {number}, not asked", "lifted_at": lifted_at, **proof}


def settled_survey(number: int) -> dict[str, Any]:
    long_ago = NOON - timedelta(days=30, minutes=number)
    answered = number % 3 == 0
    return {
        **to_columns(make_survey(), make_origin(received_at=long_ago)),
        "recipient_handle": f"customer_{number}",
        "view_id": f"V{number}",
        "state": State.SENT,
        "feedback_id": f"X{number}",
        "poll_at": long_ago + timedelta(days=60) if number % 100 else NOON,
        "rating": number % 5 + 1 if answered else None,
        "commented_at": long_ago + timedelta(hours=1) if number % 9 == 0 else None,
        "comment": "Thank you." if number % 9 == 0 else None,
        "account": "A1",
        "recipient_key": f"customer {number}",
        "accepted_at": long_ago,
        "due_at": long_ago,
        "sent_at": long_ago,
        "quota_until": long_ago + timedelta(days=1),
        "attempts": 1,
    }


@pytest.fixture(
    name="engine",
    params=["sqlite, empty", "sqlite, full", "postgresql, full"],  # PostgreSQL scans an empty table
    scope="module",
)
def _engine(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Engine]:
    kind, _, size = request.param.partition(", ")
    engine = open_engine(databases.make(kind, tmp_path_factory.mktemp("plans")), GENEROUS)
    if size == "full":
        insert_rows(engine)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("transaction", TRANSACTIONS)
def test_transactions_use_an_index(transaction: str, engine: Engine) -> None:
    for statement, plan in Plans(engine).explain(TRANSACTIONS[transaction]).items():
        assert not MISSING_INDEX[engine.dialect.name].search(plan), f"{statement}\n\n{plan}"


def test_the_daily_quota_is_counted_by_its_index_alone(engine: Engine) -> None:
    ((statement, plan),) = Plans(engine).explain(TRANSACTIONS["checking the quota"]).items()

    assert re.search(
        r"COVERING INDEX ix_surveys_daily_quota|Index Only Scan (Backward )?using ix_surveys_daily_quota",
        plan,
    ), f"{statement}\n\n{plan}"


OTHER_ACCESS = {
    "sqlite": re.compile(r"(SEARCH|SCAN) surveys (?!USING COVERING INDEX ix_surveys_report_counts)"),
    "postgresql": re.compile(
        r"Scan.* on surveys(?<!Index Only Scan using ix_surveys_report_counts on surveys)"
    ),
}
"""Signs in a plan of reading surveys from anything but the covering index."""


@pytest.mark.parametrize("count", COUNTS)
def test_reports_count_with_a_covering_index(count: str, engine: Engine) -> None:
    ((statement, plan),) = Plans(engine).explain(COUNTS[count]).items()

    assert "ix_surveys_report_counts" in plan
    assert not OTHER_ACCESS[engine.dialect.name].search(plan), f"{statement}\n\n{plan}"


def test_the_newest_comments_are_read_from_their_index(engine: Engine) -> None:
    query = partial(report_queries.list_newest_comments, filters=CSAT, period=PERIOD, limit=5)
    ((statement, plan),) = Plans(engine).explain(query).items()

    assert re.search("SEARCH surveys USING INDEX|Index Scan Backward", plan), f"{statement}\n\n{plan}"
    assert "ix_surveys_report_comments" in plan, f"{statement}\n\n{plan}"


def test_a_plan_without_an_index_is_detected(engine: Engine) -> None:
    everything = text("select * from surveys order by advice")
    (plan,) = Plans(engine).explain(lambda connection: connection.execute(everything)).values()

    assert len(MISSING_INDEX[engine.dialect.name].findall(plan)) == 2

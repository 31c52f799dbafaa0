"""Factories of drafts, surveys and rows; tests override only the fields they are about."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from csat.db import (
    account_pauses,
    attempt_outcomes,
    follow_ups,
    reconciliation,
    send_queue,
    submissions,
    tables,
)
from csat.db.survey_records import SurveyRecord, to_columns
from csat.question_and_ticket_files import load_catalogue
from csat.surveys.limits import Limits
from csat.surveys.origin import Origin
from csat.surveys.questions import Metric
from csat.surveys.receipt import Receipt
from csat.surveys.recipients import XAccount
from csat.surveys.responses import Comment, Rating, Response, Update, is_low
from csat.surveys.states import State
from csat.surveys.survey import Draft, Survey
from csat.surveys.transports import TransportName
from demo.seed import Colleague, Team
from sandbox.slack import fixtures

CATALOGUE = load_catalogue()
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
LONGEST_HANDLE = "w" * 15
LARGEST_ID = "9223372036854775807"
RECIPIENT_KEY = "customer"
NO_LIMITS = Limits(cooldown=timedelta(0))
LONGEST_ORIGIN = Origin(
    team="T" * 15,
    enterprise="E" * 15,
    channel="C" * 15,
    thread="1700000000.000100",
    requester="U" * 15,
    received_at=NOON,
    response_url="https://hooks.slack.com/commands/" + "x" * 500,
)

SUPERVISED: dict[str, Any] = {
    "csat_supervisors": {fixtures.CLEO},
    "csat_results_channel": fixtures.LEADS,
}
"""Settings: Cleo supervises, and Ada reads the results channel too."""

SAMPLE_TEAM = Team(
    id=fixtures.TEAM,
    account="1718260345",
    channels=(fixtures.SUPPORT,),
    threads=(),
    colleagues=(Colleague(fixtures.ADA, 5, 1), Colleague(fixtures.CLEO, 1, 0)),
    supervisor=fixtures.CLEO,
    display_name="Northwind",
    customers=(fixtures.SAM, fixtures.NOOR),
)

_numbers = itertools.count(1)


def make_draft(**fields: Any) -> Draft:
    """Return a valid draft."""
    defaults = {
        "transport": "x_card",
        "variant": "0",
        "display_name": "Northwind",
        "recipient": "@grace",
        "message": "How did we do?",
        "privacy_url": "https://northwind.example/privacy",
        "external_id": "ticket_5555",
    }
    return Draft(**{**defaults, **fields})


def make_survey(**fields: Any) -> Survey:
    """Return the survey of a draft, with the recipient's id."""
    survey = Survey.from_draft(make_draft(**fields), CATALOGUE)
    return survey.with_recipient(
        XAccount(handle=survey.recipient.handle, id=survey.recipient.id or "343434343434")
    )


def make_origin(**fields: Any) -> Origin:
    """Return an origin in a thread."""
    defaults = {
        "team": "T012AB3CD",
        "channel": "C012AB3CD",
        "thread": "1700000000.000100",
        "requester": "U012AB3CD",
        "received_at": NOON,
    }
    return Origin(**{**defaults, **fields})


def make_update(
    rating: int | None = None,
    comment: str | None = None,
    *,
    at: float = 10,
    feedback_id: str = "900",
    **overrides: Any,
) -> Update:
    """Return X's update of a survey sent at noon and answered `at` seconds later."""
    given_at = NOON + timedelta(seconds=at)
    receipt = {
        "transport": TransportName.X_CARD,
        "id": feedback_id,
        "dm_id": "901",
        "to_user_id": "343434343434",
        "external_id": "ticket_5555",
        "question_variant_id": 0,
        "created_at": NOON,
        "updated_at": given_at,
    }
    receipt |= {name: overrides.pop(name) for name in list(overrides) if name in receipt}
    return Update(
        receipt=Receipt(**receipt),
        response=Response(
            rating=None if rating is None else Rating(value=rating, given_at=given_at),
            comment=None if comment is None else Comment(text=comment, given_at=given_at),
        ),
        **{"account": "A1", "metric": Metric.CSAT, **overrides},
    )


def make_row(**fields: Any) -> dict[str, Any]:
    """Return the row of a survey sent at noon and not answered."""
    number = next(_numbers)
    return {
        **to_columns(make_survey(), make_origin()),
        "view_id": f"V{number}",
        "state": State.SENT,
        "account": "A1",
        "recipient_key": f"customer {number}",
        "accepted_at": NOON,
        "due_at": NOON,
        "sent_at": NOON,
        "quota_until": NOON,
        "attempts": 1,
        "rating": None,
        "rated_at": None,
        "comment": None,
        "commented_at": None,
        "disowned_at": None,
        **fields,
    }


def make_rated_row(rating: int, **fields: Any) -> dict[str, Any]:
    """Return the row of a survey rated at noon."""
    return make_row(**{"state": State.ANSWERED, "rating": rating, "rated_at": NOON, **fields})


def replace_surveys(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Delete all surveys and insert these."""
    connection.execute(delete(tables.follow_ups))
    connection.execute(delete(tables.surveys))
    if rows:
        connection.execute(insert(tables.surveys), rows)


def insert_rated(
    connection: Connection,
    /,
    ratings: Iterable[int | None],
    sent_at: datetime,
    *,
    comment: str | None = None,
    requester: str = fixtures.ADA,
    channel: str = fixtures.SUPPORT,
    thread: str = "1700000000.000100",
    **draft_fields: Any,
) -> None:
    """Insert a survey for each rating (None: not answered), with its follow-up where the rating is low."""
    origin = make_origin(
        team=fixtures.TEAM, channel=channel, thread=thread, requester=requester, received_at=sent_at
    )
    survey = make_survey(**draft_fields)
    for rating in ratings:
        row = make_row(
            **to_columns(survey, origin),
            recipient_key=None,
            **dict.fromkeys(("accepted_at", "due_at", "sent_at", "quota_until"), sent_at),
            comment=comment,
            commented_at=sent_at if comment else None,
        )
        if rating is not None:
            row |= {"state": State.ANSWERED, "rating": rating, "rated_at": sent_at}
        survey_id = connection.execute(
            insert(tables.surveys).returning(tables.surveys.c.id), row
        ).scalar_one()
        if rating is not None and is_low(survey.metric, rating):
            follow_ups.open_follow_up(connection, survey_id, fixtures.TEAM, sent_at)


def insert_accepted(connection: Connection, view_id: str = "V1", **fields: Any) -> SurveyRecord:
    """Insert a survey that is accepted and claimed."""
    account_pauses.ensure_account(connection, "A1")
    key = RECIPIENT_KEY if view_id == "V1" else view_id
    submission = submissions.Submission(view_id, make_survey(**fields), make_origin(), "A1", "one", key)
    return submissions.accept(connection, submission, NO_LIMITS, NOON)


def insert_sending(connection: Connection, view_id: str = "V1", **fields: Any) -> SurveyRecord:
    """Insert a survey whose first attempt is under way."""
    record = insert_accepted(connection, view_id, **fields)
    assert send_queue.begin_attempt(connection, record, "one", NOON) == 1
    return record


def insert_uncertain(connection: Connection) -> SurveyRecord:
    """Insert a survey whose attempt ended in a 504."""
    record = insert_sending(connection)
    assert attempt_outcomes.mark_uncertain(connection, record.id, 1, TransportName.X_CARD, "504", NOON)
    return record


def insert_confirmed(connection: Connection) -> SurveyRecord:
    """Insert a survey that its requester says arrived; its id at X is unknown."""
    record = insert_uncertain(connection)
    assert reconciliation.confirm_arrival(connection, record.id, "T012AB3CD", "U012AB3CD", NOON)
    return record


def insert_sent(connection: Connection, **fields: Any) -> SurveyRecord:
    """Insert a survey that X has accepted."""
    record = insert_sending(connection, **fields)
    assert attempt_outcomes.mark_sent(connection, record.id, 1, make_update().receipt, NOON)
    return record


def newest_survey_id(connection: Connection) -> int:
    """Return the id of the survey inserted last."""
    return int(connection.execute(select(func.max(tables.surveys.c.id))).scalar_one())


def stored_response(connection: Connection) -> dict[str, Any]:
    """Return the newest survey's response, and the notifications and follow-up it caused."""
    surveys, outbox, follow_ups = tables.surveys, tables.outbox, tables.follow_ups
    survey_id = newest_survey_id(connection)
    row = connection.execute(select(surveys).where(surveys.c.id == survey_id)).one()
    kinds = select(outbox.c.kind).where(outbox.c.survey_id == survey_id)
    follow_up = select(follow_ups.c.survey_id).where(follow_ups.c.survey_id == survey_id)
    names = ("state", "feedback_id", "rating", "rated_at", "comment", "commented_at")
    return {
        **{name: getattr(row, name) for name in names},
        "outbox": set(connection.execute(kinds).scalars()),
        "low": connection.execute(follow_up).first() is not None,
        "waiting": connection.execute(select(tables.unmatched_responses.c.feedback_id)).all(),
    }


async def no_names(_: Iterable[str]) -> dict[str, str]:
    """Look up no names for an export."""
    return {}

"""Surveys that X has, or may have, and what is known of their answers."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from csat.db import accounts, send_queue, submissions
from csat.db.survey_records import SurveyRecord
from csat.db.tables import follow_ups, outbox, surveys, unmatched_responses
from csat.surveys.limits import Limits
from tests.samples import NOON, origin, survey, told

KEY = "customer"
LATER = NOON + timedelta(hours=1)
LIMITS = Limits(cooldown=timedelta(0))


def accepted(connection: Connection, view_id: str = "V1", **fields: Any) -> SurveyRecord:
    accounts.open_account(connection, "A1")
    new = submissions.Submission(
        view_id, survey(**fields), origin(), "A1", "one", KEY if view_id == "V1" else view_id
    )
    return submissions.accept(connection, new, LIMITS, NOON).entry


def begun(connection: Connection, view_id: str = "V1", **fields: Any) -> SurveyRecord:
    """Keep a survey whose first attempt has left."""
    entry = accepted(connection, view_id, **fields)
    assert send_queue.begin_attempt(connection, entry, "one", NOON) == 1
    return entry


def uncertain(connection: Connection) -> SurveyRecord:
    entry = begun(connection)
    assert send_queue.mark_uncertain(connection, entry.id, 1, "504", NOON)
    return entry


def confirmed(connection: Connection) -> SurveyRecord:
    """Keep a survey of which its requester said that it arrived: its id at X is not known."""
    entry = uncertain(connection)
    assert send_queue.confirm_arrival(connection, entry.id, "U012AB3CD", NOON)
    return entry


def sent(connection: Connection, **fields: Any) -> SurveyRecord:
    entry = begun(connection, **fields)
    assert send_queue.mark_sent(connection, entry.id, 1, told().receipt, NOON)
    return entry


def newest(connection: Connection) -> int:
    return int(connection.execute(select(func.max(surveys.c.id))).scalar_one())


def known(connection: Connection) -> dict[str, Any]:
    """Return all that is known of the newest survey's answer, and who is to be told."""
    survey_id = newest(connection)
    row = connection.execute(select(surveys).where(surveys.c.id == survey_id)).one()
    told_of = select(outbox.c.kind).where(outbox.c.survey_id == survey_id)
    low = select(follow_ups.c.survey_id).where(follow_ups.c.survey_id == survey_id)
    names = ("state", "feedback_id", "rating", "rated_at", "comment", "commented_at")
    return {
        **{name: getattr(row, name) for name in names},
        "outbox": set(connection.execute(told_of).scalars()),
        "low": connection.execute(low).first() is not None,
        "waiting": connection.execute(select(unmatched_responses.c.feedback_id)).all(),
    }

"""Surveys as rows of the ledger, which vary in a few fields."""

import itertools
from typing import Any

from sqlalchemy import Connection, delete, insert

from csat.db.survey_records import to_columns
from csat.db.tables import follow_ups, surveys
from csat.surveys.states import State
from tests.samples import NOON, origin, survey

_numbers = itertools.count(1)


def row(**fields: Any) -> dict[str, Any]:
    """Return a survey that was sent at noon, unless `fields` say otherwise."""
    number = next(_numbers)
    return {
        **to_columns(survey(), origin()),
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
        **fields,
    }


def answered(rating: int, **fields: Any) -> dict[str, Any]:
    """Return a survey that was rated."""
    return row(**{"state": State.ANSWERED, "rating": rating, "rated_at": NOON, **fields})


def keep(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Put rows in the place of all others."""
    connection.execute(delete(follow_ups))
    connection.execute(delete(surveys))
    if rows:
        connection.execute(insert(surveys), rows)

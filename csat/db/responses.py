"""The response in the row of a survey, stored with what follows from it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from csat.db import follow_ups
from csat.db.outbox import NotificationKind, enqueue, withdraw
from csat.db.survey_transitions import transition, transition_to
from csat.db.tables import surveys
from csat.surveys.questions import Metric
from csat.surveys.responses import Comment, Rating, Response, is_low
from csat.surveys.states import State

_ANSWERED = transition_to(State.ANSWERED)


def store_response(connection: Connection, survey: Row[Any], response: Response, now: datetime) -> bool:
    """Store the response of a survey, whose row is locked; return True if it had no rating before."""
    before = to_response(survey).rating
    is_complete = response.rating is not None and response.comment is not None
    values = to_columns(response) | ({"poll_at": None} if is_complete else {})
    connection.execute(update(surveys).where(surveys.c.id == survey.id).values(values))
    is_first = response.rating is not None and before is None
    if is_first:
        transition(connection, _ANSWERED, survey.id)
        enqueue(connection, survey.id, NotificationKind.ANSWERED, now)
    if not survey.test and _is_low(survey, before) != _is_low(survey, response.rating):
        _update_follow_up(connection, survey, response.rating, now)
    return is_first


def _is_low(survey: Row[Any], rating: Rating | None) -> bool:
    return rating is not None and is_low(Metric(survey.metric), rating.value)


def _update_follow_up(connection: Connection, survey: Row[Any], rating: Rating | None, now: datetime) -> None:
    """Open the follow-up of a rating that is low now, or withdraw that of one that is not low any more."""
    if _is_low(survey, rating):
        follow_ups.open_follow_up(connection, survey.id, survey.team, now)
        follow_ups.show_change(connection, survey.id, now)
        enqueue(connection, survey.id, NotificationKind.LOW_RATING, now)
    else:
        withdraw(connection, survey.id, NotificationKind.LOW_RATING, now)
        follow_ups.withdraw(connection, survey.id, now)


def to_response(row: Row[Any]) -> Response:
    """Return the response in a row of a survey or of an unmatched response."""
    return Response(
        rating=None if row.rating is None else Rating(value=row.rating, given_at=row.rated_at),
        comment=None if row.comment is None else Comment(text=row.comment, given_at=row.commented_at),
    )


def to_columns(response: Response) -> dict[str, Any]:
    """Return the columns that hold a response, in either table."""
    rating, comment = response.rating, response.comment
    return {
        "rating": rating.value if rating else None,
        "rated_at": rating.given_at if rating else None,
        "comment": comment.text if comment else None,
        "commented_at": comment.given_at if comment else None,
    }

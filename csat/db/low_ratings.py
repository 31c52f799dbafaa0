"""Low ratings: the open ones, the closed ones, and one by itself."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from csat.db.outbox import NotificationKind
from csat.db.survey_records import to_record
from csat.db.tables import follow_ups, outbox, surveys
from csat.surveys.follow_ups import FollowUp, LowRating, NotedLowRating, OpenLowRatings
from csat.surveys.responses import LOW_RATINGS

_IS_LOW = or_(
    *(
        and_(surveys.c.metric == metric, surveys.c.rating <= ratings[-1])
        for metric, ratings in LOW_RATINGS.items()
    )
)
"""A condition on surveys: the customer has not changed the low rating to another one."""


def list_open(
    connection: Connection, team: str, limit: int, exclude_requester: str = ""
) -> list[NotedLowRating]:
    """Return the low ratings that are neither closed nor changed, the oldest first."""
    query = select_low_ratings().where(*_is_open(team, {exclude_requester}))
    oldest = query.order_by(follow_ups.c.opened_at).limit(limit)
    return [_to_noted_low_rating(row) for row in connection.execute(oldest)]


def summarize_open(connection: Connection, team: str, exclude_requesters: Collection[str]) -> OpenLowRatings:
    """Count the low ratings that are neither closed nor changed."""
    joined = follow_ups.join(surveys, surveys.c.id == follow_ups.c.survey_id)
    figures = (func.count(), func.count(follow_ups.c.taken_by), func.min(follow_ups.c.opened_at))
    query = select(*figures).select_from(joined).where(*_is_open(team, exclude_requesters))
    number, assigned, oldest = connection.execute(query).one()
    return OpenLowRatings(number=number, unassigned=number - assigned, oldest=oldest)


def list_closed(
    connection: Connection, team: str, limit: int, exclude_requester: str = ""
) -> list[NotedLowRating]:
    """Return the low ratings that are closed, the ones that were closed last first."""
    is_closed = (follow_ups.c.team == team, follow_ups.c.closed_at.is_not(None))
    query = select_low_ratings().where(*is_closed, surveys.c.requester != exclude_requester)
    newest = query.order_by(follow_ups.c.closed_at.desc(), follow_ups.c.survey_id.desc()).limit(limit)
    return [_to_noted_low_rating(row) for row in connection.execute(newest)]


def find_low_rating(connection: Connection, survey_id: int) -> LowRating | None:
    """Return a low rating without the response, or `None` if it was withdrawn."""
    row = connection.execute(select_low_ratings().where(follow_ups.c.survey_id == survey_id)).first()
    return LowRating(**low_rating_fields(row)) if row else None


def select_low_ratings() -> Select[Any]:
    """Select low ratings with their surveys and follow-ups, and the message that a link to them shows."""
    confirmation = and_(
        outbox.c.survey_id == surveys.c.id,
        outbox.c.kind == NotificationKind.SENT,
        outbox.c.channel == surveys.c.channel,
    )
    thread_ts = func.coalesce(func.nullif(surveys.c.thread, ""), outbox.c.ts, "").label("thread_ts")
    joined = follow_ups.join(surveys, surveys.c.id == follow_ups.c.survey_id).outerjoin(outbox, confirmation)
    return select(surveys, follow_ups, thread_ts).select_from(joined)


def _to_noted_low_rating(row: Row[Any]) -> NotedLowRating:
    return NotedLowRating(**low_rating_fields(row), note=row.note)


def low_rating_fields(row: Row[Any]) -> dict[str, Any]:
    """Return the fields of a `LowRating` from a selected row."""
    survey = to_record(row)
    return {
        "survey_id": survey.id,
        "key": survey.key,
        "survey": survey.survey,
        "origin": survey.origin,
        "asked_at": row.sent_at or survey.accepted_at,
        "ts": row.thread_ts,
        "is_low": row.rating in LOW_RATINGS[row.metric],
        "follow_up": to_follow_up(row),
    }


def to_follow_up(row: Row[Any]) -> FollowUp:
    """Return the follow-up of a selected row."""
    return FollowUp(**{name: getattr(row, name) for name in FollowUp.model_fields})


def _is_open(team: str, exclude_requesters: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    is_open = (follow_ups.c.team == team, follow_ups.c.closed_at.is_(None), _IS_LOW)
    return *is_open, surveys.c.requester.not_in(sorted(exclude_requesters))

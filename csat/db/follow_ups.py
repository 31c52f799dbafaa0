"""Follow-ups of low ratings: each is opened once, taken, closed, and perhaps taken over or reopened.

Requesters can neither see the responses to their own surveys nor follow them up.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from csat.db import audit_log
from csat.db.audit_log import AuditAction
from csat.db.idempotent_inserts import insert_if_absent
from csat.db.low_ratings import find_low_rating, low_rating_fields, select_low_ratings, to_follow_up
from csat.db.outbox import Notification, NotificationKind, drop, get_status, mark_sent, release, requeue
from csat.db.survey_records import find_survey, get_survey, to_record
from csat.db.tables import follow_ups, surveys
from csat.surveys.follow_ups import FollowUp, LowRating, RevealedRating, append_note


class Conflict(StrEnum):
    """Why a low rating can't be followed up."""

    UNKNOWN = "unknown"
    """The workspace has no such low rating."""
    WITHDRAWN = "withdrawn"
    """The customer has changed the rating to one that is not low."""
    OWN = "own"
    """The user requested the survey."""
    TAKEN = "taken"
    """Another user has taken it."""
    CLOSED = "closed"
    OPEN = "open"


class FollowUpConflict(Exception):
    """A low rating can't be followed up; nothing was changed."""

    def __init__(self, conflict: Conflict, follow_up: FollowUp | None = None) -> None:
        super().__init__(conflict)
        self.conflict = conflict
        self.follow_up = follow_up


def open_follow_up(connection: Connection, survey_id: int, team: str, now: datetime) -> bool:
    """Open the follow-up of a low rating; return False if it was opened before."""
    return insert_if_absent(connection, follow_ups, survey_id=survey_id, team=team, opened_at=now)


def withdraw(connection: Connection, survey_id: int, now: datetime) -> None:
    """Delete the follow-up of a rating that is not low after all, unless a user has taken or closed it.

    One that is kept no longer counts as open.
    """
    is_untouched = (follow_ups.c.taken_by.is_(None), follow_ups.c.closed_by.is_(None))
    connection.execute(delete(follow_ups).where(follow_ups.c.survey_id == survey_id, *is_untouched))
    show_change(connection, survey_id, now)


def show_change(connection: Connection, survey_id: int, now: datetime) -> None:
    """Let the alert to a low rating, posted or about to be, show that the rating has changed."""
    alert = get_status(connection, survey_id, NotificationKind.LOW_RATING)
    if alert.is_due or alert.ts:
        survey = get_survey(connection, survey_id)
        assert survey is not None  # noqa: S101 - there is an alert to it
        release(connection, requeue(connection, survey, NotificationKind.FOLLOW_UP, now), now)


def take(
    connection: Connection,
    survey_id: int,
    team: str,
    user_id: str,
    now: datetime,
    taken_from: str | None = None,
) -> Notification | None:
    """Take a low rating that nobody has taken, or over from the user who has.

    Returns `None` if the user has taken it before. Raises `FollowUpConflict`.
    """
    row = _lock(connection, survey_id, team, user_id)
    if row.closed_at:
        raise FollowUpConflict(Conflict.CLOSED, to_follow_up(row))
    if row.taken_by == user_id:
        return None
    if row.taken_by != taken_from:
        raise FollowUpConflict(Conflict.TAKEN, to_follow_up(row))
    return _update(connection, row, now, taken_by=user_id, taken_at=now)


def close(
    connection: Connection, survey_id: int, team: str, user_id: str, note: str, now: datetime
) -> Notification | None:
    """Close a low rating; return `None` for a duplicate submission. Raises `FollowUpConflict`."""
    row = _lock(connection, survey_id, team, user_id)
    if row.closed_at:
        if row.closed_by == user_id and (row.note or "").endswith(note):
            return None
        raise FollowUpConflict(Conflict.CLOSED, to_follow_up(row))
    notes = append_note(row.note, note)
    return _update(connection, row, now, closed_by=user_id, closed_at=now, note=notes)


def reopen(
    connection: Connection, survey_id: int, team: str, user_id: str, now: datetime
) -> Notification | None:
    """Reopen a closed low rating, which keeps its note and the user who has taken it.

    Returns `None` if the user has reopened it before. Raises `FollowUpConflict`.
    """
    row = _lock(connection, survey_id, team, user_id)
    if row.closed_at:
        return _update(connection, row, now, closed_at=None, reopened_by=user_id, reopened_at=now)
    if row.reopened_by != user_id:
        raise FollowUpConflict(Conflict.OPEN, to_follow_up(row))
    return None


def find_followable(connection: Connection, key: str, team: str, user_id: str) -> LowRating:
    """Return the low rating that a button or a form names, if a user may follow it up.

    Raises `FollowUpConflict`.
    """
    survey = find_survey(connection, key)
    row = _get_row(connection, survey.id if survey else 0, team, user_id)
    return LowRating(**low_rating_fields(row))


def reveal(connection: Connection, survey_id: int, team: str, user_id: str, now: datetime) -> RevealedRating:
    """Return a low rating with its response, and log the access; raises `FollowUpConflict`."""
    row = _get_row(connection, survey_id, team, user_id)
    audit_log.record(connection, team, user_id, AuditAction.SHOW, f"survey {survey_id}", now)
    is_comment_erased = row.commented_at is not None and row.comment is None
    return RevealedRating(
        **low_rating_fields(row),
        rating=row.rating,
        comment=row.comment,
        is_comment_erased=is_comment_erased,
        note=row.note,
    )


def drop_withdrawn_alert(connection: Connection, notification: Notification) -> bool:
    """Give up posting the alert to a low rating that was withdrawn; return False if it is low again."""
    survey_id = notification.survey.id
    connection.execute(select(surveys.c.id).where(surveys.c.id == survey_id).with_for_update())
    rating = find_low_rating(connection, survey_id)
    if rating and rating.is_low:
        return False
    drop(connection, notification)
    return True


def mark_alert_updated(
    connection: Connection, notification: Notification, shown: LowRating | None, now: datetime
) -> bool:
    """Store that the alert shows a low rating; return False if that or its follow-up has changed since."""
    survey_id = notification.survey.id
    for key in (surveys.c.id, follow_ups.c.survey_id):
        connection.execute(select(key).where(key == survey_id).with_for_update())
    if find_low_rating(connection, survey_id) != shown:
        return False
    mark_sent(connection, notification, None, None, now)
    return True


def _lock(connection: Connection, survey_id: int, team: str, user_id: str) -> Row[Any]:
    """Return a low rating, locked until the transaction ends; raises `FollowUpConflict`."""
    query = select(follow_ups.c.survey_id).where(follow_ups.c.survey_id == survey_id)
    connection.execute(query.with_for_update())
    return _get_row(connection, survey_id, team, user_id)


def _get_row(connection: Connection, survey_id: int, team: str, user_id: str) -> Row[Any]:
    row = connection.execute(select_low_ratings().where(follow_ups.c.survey_id == survey_id)).first()
    if row is None or row.team != team:
        is_rated = _may_see_rating(connection, survey_id, team, user_id)
        raise FollowUpConflict(Conflict.WITHDRAWN if is_rated else Conflict.UNKNOWN)
    if row.requester == user_id:
        raise FollowUpConflict(Conflict.OWN)
    return row


def _may_see_rating(connection: Connection, survey_id: int, team: str, user_id: str) -> bool:
    """Return True if there is a rating, of a survey that somebody else in the workspace asked for."""
    rated = select(surveys.c.id).where(surveys.c.id == survey_id, surveys.c.rating.is_not(None))
    others = rated.where(surveys.c.team == team, surveys.c.requester != user_id)
    return connection.execute(others).first() is not None


def _update(connection: Connection, row: Row[Any], now: datetime, **values: object) -> Notification:
    survey = to_record(row)
    connection.execute(update(follow_ups).where(follow_ups.c.survey_id == survey.id).values(**values))
    return requeue(connection, survey, NotificationKind.FOLLOW_UP, now)

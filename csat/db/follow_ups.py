"""Low ratings, and who takes care of them: each opened once, taken on once, and closed once.

Nobody follows up, or is shown, the answer to a survey that they asked for themselves.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, select, update

from csat.db import audit
from csat.db.audit import AuditAction
from csat.db.inserts import insert_if_absent
from csat.db.outbox import Notification, NotificationKind, get_status, mark_sent, requeue
from csat.db.survey_records import get_survey, to_record
from csat.db.tables import follow_ups, outbox, surveys
from csat.surveys.follow_ups import FollowUp, LowRating, RevealedRating


class Conflict(StrEnum):
    """What can keep somebody from following up."""

    UNKNOWN = "unknown"
    """There is no such low rating in this workspace."""
    OWN = "own"
    """They asked for the survey themselves."""
    TAKEN = "taken"
    """Somebody else has taken it on."""
    CLOSED = "closed"


class FollowUpConflict(Exception):
    """A low rating can't be followed up so; nothing was changed."""

    def __init__(self, conflict: Conflict, follow_up: FollowUp | None = None) -> None:
        super().__init__(conflict)
        self.conflict = conflict
        self.follow_up = follow_up


def open_follow_up(connection: Connection, survey_id: int, team: str, now: datetime) -> bool:
    """Note that somebody should look after a survey's low rating; whether that was new."""
    return insert_if_absent(connection, follow_ups, survey_id=survey_id, team=team, opened_at=now)


def withdraw(connection: Connection, survey_id: int, now: datetime) -> None:
    """Take back a low rating that turned out to be none, where nobody has taken it on."""
    untouched = (follow_ups.c.survey_id == survey_id, follow_ups.c.taken_by.is_(None))
    taking_back = delete(follow_ups).where(*untouched, follow_ups.c.closed_by.is_(None))
    if (
        connection.execute(taking_back).rowcount
        and get_status(connection, survey_id, NotificationKind.LOW_RATING).ts
    ):
        survey = get_survey(connection, survey_id)
        assert survey is not None  # noqa: S101 - its follow-up was there just now
        requeue(connection, survey, NotificationKind.FOLLOW_UP, now)


def take(
    connection: Connection, survey_id: int, team: str, person: str, now: datetime
) -> Notification | None:
    """Store who follows a low rating up; return `None` if it is known. Raises `FollowUpConflict`."""
    row = _lock(connection, survey_id, team, person)
    if row.closed_by:
        raise FollowUpConflict(Conflict.CLOSED, _to_follow_up(row))
    if row.taken_by not in (None, person):
        raise FollowUpConflict(Conflict.TAKEN, _to_follow_up(row))
    if row.taken_by == person:
        return None
    return _update(connection, row, now, taken_by=person, taken_at=now)


def close(
    connection: Connection, survey_id: int, team: str, person: str, note: str, now: datetime
) -> Notification | None:
    """Store how a low rating was resolved; return `None` if it is known. Raises `FollowUpConflict`."""
    row = _lock(connection, survey_id, team, person)
    if (row.closed_by, row.note) == (person, note):  # the same form, delivered once more
        return None
    if row.closed_by:
        raise FollowUpConflict(Conflict.CLOSED, _to_follow_up(row))
    return _update(connection, row, now, closed_by=person, closed_at=now, note=note)


def list_open(connection: Connection, team: str, most: int, without: str = "") -> list[LowRating]:
    """Return what nobody has closed yet, the oldest first, without the surveys that `without` asked for."""
    theirs = (follow_ups.c.team == team, follow_ups.c.closed_at.is_(None), surveys.c.requester != without)
    oldest = _select_low_ratings().where(*theirs).order_by(follow_ups.c.opened_at).limit(most)
    return [LowRating(**_to_low_rating_fields(row)) for row in connection.execute(oldest)]


def find_low_rating(connection: Connection, survey_id: int) -> LowRating | None:
    """Return a low rating as everybody may know of it."""
    row = connection.execute(_select_low_ratings().where(follow_ups.c.survey_id == survey_id)).first()
    return LowRating(**_to_low_rating_fields(row)) if row else None


def get_low_rating(connection: Connection, survey_id: int, team: str, person: str) -> LowRating:
    """Return a low rating for somebody who may follow it up; raises `FollowUpConflict`."""
    return LowRating(**_to_low_rating_fields(_get_row(connection, survey_id, team, person)))


def reveal(connection: Connection, survey_id: int, team: str, person: str, now: datetime) -> RevealedRating:
    """Return a low rating with its answer, and note who sees it; raises `FollowUpConflict`."""
    row = _get_row(connection, survey_id, team, person)
    audit.record(connection, team, person, AuditAction.SHOW, f"survey {survey_id}", now)
    return RevealedRating(**_to_low_rating_fields(row), rating=row.rating, comment=row.comment, note=row.note)


def mark_alert_updated(
    connection: Connection, notification: Notification, shown: FollowUp | None, now: datetime
) -> bool:
    """Store that the alert shows this follow-up; return False if it has changed since."""
    this = follow_ups.c.survey_id == notification.survey.id
    row = connection.execute(select(follow_ups).where(this).with_for_update()).first()
    if (_to_follow_up(row) if row else None) != shown:
        return False
    mark_sent(connection, notification, None, None, now)
    return True


def _lock(connection: Connection, survey_id: int, team: str, person: str) -> Row[Any]:
    """Return where a low rating stands; nobody else can change it before the transaction ends."""
    this = select(follow_ups.c.survey_id).where(follow_ups.c.survey_id == survey_id)
    connection.execute(this.with_for_update())
    return _get_row(connection, survey_id, team, person)


def _get_row(connection: Connection, survey_id: int, team: str, person: str) -> Row[Any]:
    row = connection.execute(_select_low_ratings().where(follow_ups.c.survey_id == survey_id)).first()
    if row is None or row.team != team:
        raise FollowUpConflict(Conflict.UNKNOWN)
    if row.requester == person:
        raise FollowUpConflict(Conflict.OWN)
    return row


def _update(connection: Connection, row: Row[Any], now: datetime, **values: Any) -> Notification:  # noqa: ANN401
    survey = to_record(row)
    connection.execute(update(follow_ups).where(follow_ups.c.survey_id == survey.id).values(**values))
    return requeue(connection, survey, NotificationKind.FOLLOW_UP, now)


def _select_low_ratings() -> Select[Any]:
    confirmed = and_(
        outbox.c.survey_id == surveys.c.id,
        outbox.c.kind == NotificationKind.SENT,
        outbox.c.channel == surveys.c.channel,
    )
    leading = func.coalesce(func.nullif(surveys.c.thread, ""), outbox.c.ts, "").label("leading")
    lows = follow_ups.join(surveys, surveys.c.id == follow_ups.c.survey_id).outerjoin(outbox, confirmed)
    return select(surveys, follow_ups, leading).select_from(lows)


def _to_low_rating_fields(row: Row[Any]) -> dict[str, Any]:
    entry = to_record(row)
    return {
        "survey_id": entry.id,
        "survey": entry.survey,
        "origin": entry.origin,
        "asked_at": row.sent_at or entry.accepted_at,
        "ts": row.leading,
        "follow_up": _to_follow_up(row),
    }


def _to_follow_up(row: Row[Any]) -> FollowUp:
    return FollowUp(**{name: getattr(row, name) for name in FollowUp.model_fields})

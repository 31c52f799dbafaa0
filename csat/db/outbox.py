"""The outbox: notifications about surveys, each inserted in the transaction that caused it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, func, insert, or_, select, update

from csat.db.account_scope import is_of
from csat.db.idempotent_inserts import insert_if_absent
from csat.db.survey_records import SurveyRecord, get_survey, to_record
from csat.db.tables import outbox, surveys
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.states import State

CLAIM_LEASE = timedelta(seconds=60)
"""How long a notification is claimed by one instance."""

# built once, as building a statement costs more than running it; the parameters set the values
_INSERT = insert(outbox)
_UPDATE = update(outbox).where(
    outbox.c.survey_id == bindparam("key_survey_id"), outbox.c.kind == bindparam("key_kind")
)


class NotificationKind(StrEnum):
    """The subject of a notification."""

    SENT = "sent"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    LEFT_UNCERTAIN = "left_uncertain"
    """The question about an uncertain survey changes: its transport can't settle it any more."""
    RESTORED = "restored"
    """Uncertain since the database was restored from a backup."""
    WAITING = "waiting"
    WAITING_FOR_OTHERS = "waiting_for_others"
    """It waits for an instance with the keys of its X account, which this app had before."""
    ANSWERED = "answered"
    """The confirmation changes: the recipient answered."""
    EXPIRED = "expired"
    """The confirmation changes: nobody answered."""
    LOW_RATING = "low_rating"
    """Supervisors are alerted to a low rating."""
    FOLLOW_UP = "follow_up"
    """The alert changes: it shows who follows the low rating up."""


class Notification(FrozenModel):
    """A claimed row of the outbox, with its survey."""

    survey: SurveyRecord
    kind: NotificationKind
    attempts: int = 0


class NotificationStatus(NamedTuple):
    """Whether a notification is due, and the message that it was posted as, if that is known."""

    is_due: bool = False
    channel: str = ""
    ts: str = ""


def enqueue_claimed(
    connection: Connection, survey: SurveyRecord, kind: NotificationKind, now: datetime
) -> Notification:
    """Enqueue a notification that the calling instance posts first; others do after `CLAIM_LEASE`."""
    row = {"survey_id": survey.id, "kind": kind, "due_at": now + CLAIM_LEASE, "attempts": 0}
    connection.execute(_INSERT, row)
    return Notification(survey=survey, kind=kind)


def enqueue(connection: Connection, survey_id: int, kind: NotificationKind, now: datetime) -> None:
    """Enqueue a notification, due at once, unless it waits or was posted; a dropped one is due again."""
    row = {"survey_id": survey_id, "kind": kind, "due_at": now, "attempts": 0}
    if not insert_if_absent(connection, outbox, **row):
        dropped = (*_key(survey_id, kind), outbox.c.sent_at.is_(None), outbox.c.due_at.is_(None))
        connection.execute(update(outbox).where(*dropped).values(due_at=now))


def withdraw(connection: Connection, survey_id: int, kind: NotificationKind, now: datetime) -> None:
    """Delete a notification that was not posted, unless an instance has claimed it and may be posting it."""
    is_unclaimed = or_(outbox.c.due_at.is_(None), outbox.c.due_at <= now)
    unposted = (*_key(survey_id, kind), outbox.c.sent_at.is_(None), is_unclaimed)
    connection.execute(delete(outbox).where(*unposted))


def requeue(
    connection: Connection, survey: SurveyRecord, kind: NotificationKind, now: datetime
) -> Notification:
    """Enqueue a notification again, whether or not it was posted before; claimed by the caller."""
    again: dict[str, Any] = {"due_at": now + CLAIM_LEASE, "attempts": 0}
    if not insert_if_absent(connection, outbox, survey_id=survey.id, kind=kind, **again):
        connection.execute(update(outbox).where(*_key(survey.id, kind)).values(**again, sent_at=None))
    return Notification(survey=survey, kind=kind)


def enqueue_waiting(
    connection: Connection,
    survey_id: int,
    now: datetime,
    kind: NotificationKind = NotificationKind.WAITING,
) -> Notification | None:
    """Enqueue, once per survey, that it waits; return `None` if it does not, or that was enqueued before.

    While a request is in flight it does not wait: then it can't be canceled.
    """
    survey = get_survey(connection, survey_id)
    if survey is None or survey.state is not State.ACCEPTED:
        return None
    row = {
        "survey_id": survey_id,
        "kind": kind,
        "due_at": now + CLAIM_LEASE,
        "attempts": 0,
    }
    if not insert_if_absent(connection, outbox, **row):
        return None
    return Notification(survey=survey, kind=kind)


def enqueue_waiting_for_others(
    connection: Connection, accounts: Collection[str], due_before: datetime, now: datetime, limit: int
) -> list[Notification]:
    """Enqueue, once per survey, that it waits for none of these accounts; it was due before `due_before`."""
    kind = NotificationKind.WAITING_FOR_OTHERS
    is_told = exists().where(outbox.c.survey_id == surveys.c.id, outbox.c.kind == kind)
    overdue = (surveys.c.state == State.ACCEPTED, surveys.c.due_at < due_before, ~is_of(*accounts), ~is_told)
    survey_ids = connection.execute(select(surveys.c.id).where(*overdue).limit(limit)).scalars().all()
    enqueued = (enqueue_waiting(connection, survey_id, now, kind) for survey_id in survey_ids)
    return [notification for notification in enqueued if notification]


def claim_notifications(connection: Connection, team: str, now: datetime, limit: int) -> list[Notification]:
    """Claim notifications that are due in a workspace, the oldest first."""
    # nearly all surveys have the same team: an index that begins with it would not help
    is_in_team = func.coalesce(surveys.c.team, "") == team
    due = (
        select(surveys, outbox.c.kind.label("kind"), outbox.c.attempts.label("outbox_attempts"))
        .join(outbox, outbox.c.survey_id == surveys.c.id)
        .where(outbox.c.due_at <= now, is_in_team)
        .order_by(outbox.c.due_at)
        .limit(limit)
        .with_for_update(of=outbox, skip_locked=True)
    )
    rows = connection.execute(due).all()
    claimed = [
        Notification(survey=to_record(row), kind=row.kind, attempts=row.outbox_attempts) for row in rows
    ]
    for notification in claimed:
        _update(connection, notification, due_at=now + CLAIM_LEASE)
    return claimed


def mark_sent(
    connection: Connection, notification: Notification, channel: str | None, ts: str | None, now: datetime
) -> None:
    """Store where a notification was posted."""
    _update(connection, notification, sent_at=now, due_at=None, channel=channel, ts=ts)


def release(connection: Connection, notification: Notification, now: datetime) -> None:
    """Give up the claim on a notification, so that any instance of its workspace can post it."""
    _update(connection, notification, due_at=now)


def reschedule(connection: Connection, notification: Notification, due_at: datetime) -> None:
    """Put a notification back until `due_at`."""
    _update(connection, notification, due_at=due_at, attempts=notification.attempts + 1)


def drop(connection: Connection, notification: Notification) -> None:
    """Give up posting a notification."""
    _update(connection, notification, due_at=None, attempts=notification.attempts + 1)


def get_status(connection: Connection, survey_id: int, kind: NotificationKind) -> NotificationStatus:
    """Return the status of a notification, which may not exist."""
    row = connection.execute(select(outbox).where(*_key(survey_id, kind))).first()
    if row is None:
        return NotificationStatus()
    return NotificationStatus(is_due=row.due_at is not None, channel=row.channel or "", ts=row.ts or "")


def _key(survey_id: int, kind: NotificationKind) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return outbox.c.survey_id == survey_id, outbox.c.kind == kind


def _update(connection: Connection, notification: Notification, **values: object) -> None:
    key = {"key_survey_id": notification.survey.id, "key_kind": notification.kind}
    connection.execute(_UPDATE, {**key, **values})

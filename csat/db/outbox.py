"""What Slack is to be told, kept until it was told."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from csat.db.inserts import insert_if_absent
from csat.db.tables import outbox, surveys
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.states import State

TELLING = timedelta(seconds=60)
"""How long one instance has a notice to itself."""

# built once, as that is most of what SQLAlchemy costs; what is set comes with the parameters
_GIVE = insert(outbox)
_CHANGE = update(outbox).where(outbox.c.survey_id == bindparam("of"), outbox.c.kind == bindparam("this"))


class NotificationKind(StrEnum):
    """The kinds of news of a survey."""

    SENT = "sent"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    WAITING = "waiting"
    ANSWERED = "answered"
    """The confirmation is to say that the customer answered."""
    EXPIRED = "expired"
    """The confirmation is to say that nobody answered."""
    LOW_RATING = "low_rating"
    """Supervisors are to be told of a low rating."""
    FOLLOW_UP = "follow_up"
    """What supervisors were told is to say who takes care of it."""


class Notification(FrozenModel):
    """A notice that it is time to tell."""

    survey_id: int
    kind: NotificationKind
    attempts: int


class NotificationStatus(NamedTuple):
    """Whether a notice is still to be told, and the message that told it, where Slack said which."""

    is_due: bool = False
    channel: str = ""
    ts: str = ""


def enqueue_claimed(connection: Connection, survey_id: int, kind: NotificationKind, now: datetime) -> None:
    """Write down that Slack is to be told; the instance that calls tells it first, others later."""
    notice = {"survey_id": survey_id, "kind": kind, "due_at": now + TELLING, "attempts": 0}
    connection.execute(_GIVE, notice)


def enqueue(connection: Connection, survey_id: int, kind: NotificationKind, now: datetime) -> None:
    """Write down that Slack is to be told by whoever looks first; a notice that is there is due at once."""
    row = {"survey_id": survey_id, "kind": kind, "due_at": now, "attempts": 0}
    if not insert_if_absent(connection, outbox, **row):
        untold = (outbox.c.survey_id == survey_id, outbox.c.kind == kind, outbox.c.sent_at.is_(None))
        connection.execute(update(outbox).where(*untold).values(due_at=now))


def withdraw(connection: Connection, survey_id: int, kind: NotificationKind) -> None:
    """Let Slack not be told, where it was not told yet."""
    untold = (outbox.c.survey_id == survey_id, outbox.c.kind == kind, outbox.c.sent_at.is_(None))
    connection.execute(delete(outbox).where(*untold))


def requeue(connection: Connection, survey_id: int, kind: NotificationKind, now: datetime) -> None:
    """Write down that Slack is to be told what may have been told before, and is different now."""
    anew: dict[str, Any] = {"due_at": now + TELLING, "attempts": 0}
    if not insert_if_absent(connection, outbox, survey_id=survey_id, kind=kind, **anew):
        this = (outbox.c.survey_id == survey_id, outbox.c.kind == kind)
        connection.execute(update(outbox).where(*this).values(**anew, sent_at=None))


def enqueue_waiting(connection: Connection, survey_id: int, now: datetime) -> bool:
    """Have the requester told that their survey waits, once, if it still does."""
    waits = surveys.c.state.in_((State.ACCEPTED, State.SENDING))
    if not connection.execute(select(surveys.c.id).where(surveys.c.id == survey_id, waits)).first():
        return False
    given = (outbox.c.survey_id == survey_id, outbox.c.kind == NotificationKind.WAITING)
    if connection.execute(select(outbox.c.kind).where(*given)).first():
        return False
    enqueue_claimed(connection, survey_id, NotificationKind.WAITING, now)
    return True


def claim_notifications(connection: Connection, now: datetime, most: int) -> list[Notification]:
    """Claim notices that nobody told in time."""
    late = (
        select(outbox.c.survey_id, outbox.c.kind)
        .where(outbox.c.due_at <= now)
        .order_by(outbox.c.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claimed = [_to_due(row) for row in connection.execute(late.add_columns(outbox.c.attempts))]
    for due in claimed:
        _change(connection, due, due_at=now + TELLING)
    return claimed


def mark_sent(
    connection: Connection, due: Notification, channel: str | None, ts: str | None, now: datetime
) -> None:
    """Note where Slack was told."""
    _change(connection, due, sent_at=now, due_at=None, channel=channel, ts=ts)


def reschedule(connection: Connection, due: Notification, due_at: datetime | None) -> None:
    """Try again at `due_at`; never, where that is empty."""
    _change(connection, due, due_at=due_at, attempts=due.attempts + 1)


def get_status(connection: Connection, survey_id: int, kind: NotificationKind) -> NotificationStatus:
    """Return what Slack knows of a notice so far."""
    this = (outbox.c.survey_id == survey_id, outbox.c.kind == kind)
    row = connection.execute(select(outbox).where(*this)).first()
    if row is None:
        return NotificationStatus()
    return NotificationStatus(is_due=row.due_at is not None, channel=row.channel or "", ts=row.ts or "")


def _change(connection: Connection, due: Notification, **values: Any) -> None:  # noqa: ANN401
    connection.execute(_CHANGE, {"of": due.survey_id, "this": due.kind, **values})


def _to_due(row: Row[Any]) -> Notification:
    return Notification(survey_id=row.survey_id, kind=row.kind, attempts=row.attempts)

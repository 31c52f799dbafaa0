"""The weekly digests: one per team and week, posted once, by one instance at a time."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, select, update

from csat.db import audit_log
from csat.db.audit_log import AuditAction
from csat.db.idempotent_inserts import insert_if_absent
from csat.db.tables import digests

CLAIM_LEASE = timedelta(minutes=2)
"""How long a digest is claimed by one instance."""


def claim(connection: Connection, team: str, week: str, now: datetime) -> bool:
    """Claim the digest of a week; return False if it is finished, claimed or not due."""
    insert_if_absent(connection, digests, team=team, week=week, due_at=now, attempts=0)
    row = connection.execute(select(digests).where(*_key(team, week)).with_for_update()).one()
    if row.due_at is None or row.due_at > now:
        return False
    _update(connection, team, week, due_at=now + CLAIM_LEASE)
    return True


def is_finished(connection: Connection, team: str, week: str) -> bool:
    """Return True if the digest of a week was posted, or there was nothing to post."""
    finished = select(digests.c.week).where(*_key(team, week), digests.c.due_at.is_(None))
    return connection.execute(finished).first() is not None


def record_access(connection: Connection, team: str, week: str, channel: str, now: datetime) -> None:
    """Log in the audit that a channel is about to see a digest."""
    audit_log.record(connection, team, channel, AuditAction.REPORT, f"digest of {week}", now)


def mark_sent(connection: Connection, team: str, week: str, now: datetime) -> None:
    """Store that a digest was posted."""
    _update(connection, team, week, due_at=None, sent_at=now)


def mark_empty(connection: Connection, team: str, week: str) -> None:
    """Store that a week needs no digest."""
    _update(connection, team, week, due_at=None)


def reschedule(connection: Connection, team: str, week: str, due_at: datetime) -> None:
    """Put a digest back until `due_at`."""
    _update(connection, team, week, due_at=due_at, attempts=digests.c.attempts + 1)


def _update(connection: Connection, team: str, week: str, **values: object) -> None:
    connection.execute(update(digests).where(*_key(team, week)).values(**values))


def _key(team: str, week: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return digests.c.team == team, digests.c.week == week

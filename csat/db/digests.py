"""The weekly digests: each told once, by one instance at a time."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from csat.db import audit
from csat.db.audit import AuditAction
from csat.db.inserts import insert_if_absent
from csat.db.tables import digests

CLAIM_LEASE = timedelta(minutes=2)
"""How long one instance has a digest to itself."""


def claim(connection: Connection, team: str, week: str, now: datetime) -> bool:
    """Claim a week's digest; whether it is to be told now, by whoever asked."""
    insert_if_absent(connection, digests, team=team, week=week, due_at=now, attempts=0)
    this = _key(team, week)
    row = connection.execute(select(digests).where(*this).with_for_update()).one()
    if row.due_at is None or row.due_at > now:
        return False
    connection.execute(update(digests).where(*this).values(due_at=now + CLAIM_LEASE))
    return True


def is_finished(connection: Connection, team: str, week: str) -> bool:
    """Tell whether a week's digest was told, or had nothing to say."""
    settled = select(digests.c.week).where(*_key(team, week), digests.c.due_at.is_(None))
    return connection.execute(settled).first() is not None


def record_access(connection: Connection, team: str, week: str, channel: str, now: datetime) -> None:
    """Note in the audit that a channel is about to see a digest."""
    audit.record(connection, team, channel, AuditAction.REPORT, f"digest of {week}", now)


def mark_sent(connection: Connection, team: str, week: str, now: datetime) -> None:
    """Note that a digest was told."""
    connection.execute(update(digests).where(*_key(team, week)).values(due_at=None, sent_at=now))


def mark_empty(connection: Connection, team: str, week: str) -> None:
    """Note that there is nothing to tell of a week."""
    connection.execute(update(digests).where(*_key(team, week)).values(due_at=None))


def reschedule(connection: Connection, team: str, week: str, due_at: datetime) -> None:
    """Try again at `due_at`."""
    later = {"due_at": due_at, "attempts": digests.c.attempts + 1}
    connection.execute(update(digests).where(*_key(team, week)).values(later))


def _key(team: str, week: str) -> tuple[Any, ...]:
    return digests.c.team == team, digests.c.week == week

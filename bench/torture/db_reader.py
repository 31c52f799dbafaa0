"""Read the app's database from outside."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import select, text

from csat.db.tables import feeds

UNSETTLED = (
    "select count(*) from surveys where state = 'uncertain' "
    "and (transport = 'x_card' or reconcile_at is not null)"
)
"""SQL: how many uncertain surveys will still be settled."""


class SurveyRow(NamedTuple):
    """A survey as the database has it."""

    id: int
    recipient: str
    """`@handle` or id, as the database has it; "" once erased."""
    state: str
    reason: str | None
    was_uncertain: bool
    is_left_to_requester: bool
    """Uncertain, and not looked for any more: the conversation has not its link, or it was an invitation."""
    is_in_thread: bool
    """Asked for in a thread of Slack's, so that it may be an invitation, which nobody can look for."""
    rating: int | None


class PendingCounts(NamedTuple):
    """How much the app still has to do."""

    accepted: int
    sending: int
    notifications: int
    uncertain: int


class DbReader:
    """Query the app's database, which may be unavailable for a while.

    Args:
        url: SQLAlchemy's URL of the database.
    """

    def __init__(self, url: str) -> None:
        self._engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)

    def query(self, statement: str, **parameters: object) -> list[Any]:
        """Return the rows that a statement selects."""
        with self._engine.connect() as connection:
            return list(connection.execute(text(statement), parameters))

    def list_surveys(self) -> list[SurveyRow]:
        """Return all surveys, oldest first."""
        uncertain = {row[0] for row in self.query("select survey_id from outbox where kind = 'uncertain'")}
        rows = self.query(
            "select id, recipient_handle, recipient_id, state, reason, rating, "
            "transport <> 'x_card' and state = 'uncertain' and reconcile_at is null as is_left, "
            "transport = 'slack' and thread <> '' as is_in_thread "
            "from surveys order by id"
        )
        return [
            SurveyRow(
                row.id,
                f"@{row.recipient_handle}" if row.recipient_handle else row.recipient_id or "",
                row.state,
                row.reason,
                row.id in uncertain,
                bool(row.is_left),
                bool(row.is_in_thread),
                row.rating,
            )
            for row in rows
        ]

    def count_pending(self) -> PendingCounts | None:
        """Count pending work in a single statement; return None if the database is unavailable."""
        counts = (
            "select count(*) from surveys where state = 'accepted'",
            "select count(*) from surveys where state = 'sending'",
            "select count(*) from outbox where due_at is not null",
            UNSETTLED,
        )
        try:
            return PendingCounts(*self.query(f"select ({'), ('.join(counts)})")[0])
        except sqlalchemy.exc.DBAPIError:
            return None

    def swept_until(self) -> datetime:
        """Return up to when X's events have been read; the earliest date if none have."""
        with self._engine.connect() as connection:
            return connection.execute(select(feeds.c.swept_until)).scalar() or datetime.min.replace(
                tzinfo=UTC
            )

"""What the suite reads in the victims' ledger, from outside."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy
from sqlalchemy import select, text

from csat.db.tables import feeds


class Row(NamedTuple):
    """One survey as the ledger has it."""

    id: int
    customer: str
    """As a person types it: `@handle` or the id."""
    state: str
    reason: str | None
    doubted: bool
    """Whether it ever was uncertain."""


class Book:
    """Reads a ledger; it may be gone for a while.

    Args:
        url: SQLAlchemy's URL of the database.
    """

    def __init__(self, url: str) -> None:
        self._engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)

    def rows(self) -> list[Row]:
        """Return all surveys, the oldest first."""
        return list(self._rows())

    def under_way(self) -> list[int]:
        """Return how many surveys wait, are being sent, are to be told, and are uncertain; [] if unknown."""
        wanted = (
            "select count(*) from surveys where state = 'accepted'",
            "select count(*) from surveys where state = 'sending'",
            "select count(*) from outbox where due_at is not null",
            "select count(*) from surveys where state = 'uncertain'",
        )
        try:
            return [*map(int, self.ask(f"select ({'), ('.join(wanted)})")[0])]  # all of one moment
        except sqlalchemy.exc.DBAPIError:
            return []

    def swept_until(self) -> datetime:
        """Return how far X's events were read."""
        with self._engine.connect() as connection:
            return connection.execute(select(feeds.c.swept_until)).scalar() or datetime.min.replace(
                tzinfo=UTC
            )

    def ask(self, query: str, **values: Any) -> list[Any]:  # noqa: ANN401 - whatever a query takes
        """Return the rows of a query."""
        with self._engine.connect() as connection:
            return list(connection.execute(text(query), values))

    def _rows(self) -> Iterator[Row]:
        doubts = {row[0] for row in self.ask("select survey_id from outbox where kind = 'uncertain'")}
        surveys = "select id, recipient_handle, recipient_id, state, reason from surveys order by id"
        for row in self.ask(surveys):
            customer = f"@{row.recipient_handle}" if row.recipient_handle else row.recipient_id
            yield Row(row.id, customer, row.state, row.reason, row.id in doubts)

"""Old surveys, taken out a few at a time so that nobody who writes in between waits for long."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, and_, delete, func, select

from csat.db.limits import PENDING
from csat.db.tables import surveys

FINISHED = and_(surveys.c.state.not_in(PENDING), surveys.c.reconcile_at.is_(None))
"""Nothing is under way any more, and nobody waits to learn what became of it."""


class PrunableSurveys(NamedTuple):
    """What there is to prune."""

    number: int
    newest: int
    """The largest id among them."""


def count_prunable(connection: Connection, before: datetime) -> PrunableSurveys:
    """Count the finished surveys from before a moment; this reads the whole table."""
    old = select(func.count(), func.coalesce(func.max(surveys.c.id), 0))
    number, newest = connection.execute(old.where(FINISHED, surveys.c.accepted_at < before)).one()
    return PrunableSurveys(number, newest)


def prune(connection: Connection, before: datetime, after: int, newest: int, most: int) -> list[int]:
    """Remove the oldest of them, between two ids, with attempts and notices; returns their ids."""
    within = (surveys.c.id > after, surveys.c.id <= newest, FINISHED, surveys.c.accepted_at < before)
    oldest = select(surveys.c.id).where(*within).order_by(surveys.c.id).limit(most)
    removed = delete(surveys).where(surveys.c.id.in_(oldest)).returning(surveys.c.id)
    return list(connection.execute(removed).scalars())

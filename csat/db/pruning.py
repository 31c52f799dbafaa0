"""Delete old surveys, in small batches so that other writers do not wait for long."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select

from csat.db.limits import PENDING
from csat.db.tables import surveys

FINISHED = and_(surveys.c.state.not_in(PENDING), surveys.c.reconcile_at.is_(None))
"""A condition on surveys: they are neither to be sent nor to be reconciled."""


class PrunableSurveys(NamedTuple):
    """The number of surveys to prune, and the largest id among them."""

    total: int
    max_id: int


def count_prunable(connection: Connection, before: datetime) -> PrunableSurveys:
    """Count the finished surveys from before a moment; reads the whole table."""
    query = select(func.count(), func.coalesce(func.max(surveys.c.id), 0))
    total, max_id = connection.execute(query.where(FINISHED, _counted_at() < before)).one()
    return PrunableSurveys(total, max_id)


def prune(connection: Connection, before: datetime, after_id: int, max_id: int, limit: int) -> list[int]:
    """Delete the oldest finished surveys in a range of ids, and all that refers to them; return the ids."""
    prunable = (
        surveys.c.id > after_id,
        surveys.c.id <= max_id,
        FINISHED,
        _counted_at() < before,
    )
    oldest = select(surveys.c.id).where(*prunable).order_by(surveys.c.id).limit(limit)
    statement = delete(surveys).where(surveys.c.id.in_(oldest)).returning(surveys.c.id)
    return list(connection.execute(statement).scalars())


def _counted_at() -> ColumnElement[datetime]:
    """The time by which limits count a survey, which can wait for a day before it is sent."""
    return func.coalesce(surveys.c.sent_at, surveys.c.accepted_at)

"""Read surveys with their responses for an export, page by page."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, or_, select

from csat.db.tables import follow_ups, surveys
from csat.reporting.export_rows import COLUMNS, NAME_COLUMNS, ExportRow, Selection
from csat.surveys.questions import Metric
from csat.surveys.states import State

EXPORTED_STATES = (State.SENT, State.ANSWERED, State.EXPIRED, State.UNCERTAIN)
"""The states of surveys that may have reached their customer."""

_EXPRESSIONS = {
    "survey_id": surveys.c.id,
    "low_taken_by": follow_ups.c.taken_by,
    "low_taken_at": follow_ups.c.taken_at,
    "low_closed_by": follow_ups.c.closed_by,
    "low_closed_at": follow_ups.c.closed_at,
    "low_note": follow_ups.c.note,
}
_STORED = [name for name in COLUMNS if name not in NAME_COLUMNS]
_SELECT = select(
    *((_EXPRESSIONS[name] if name in _EXPRESSIONS else surveys.c[name]).label(name) for name in _STORED)
).outerjoin_from(surveys, follow_ups, follow_ups.c.survey_id == surveys.c.id)


class Cursor(NamedTuple):
    """The last row of a page."""

    sent_at: datetime
    survey_id: int


def list_teams(connection: Connection) -> list[str]:
    """Return the teams that have surveys."""
    return list(connection.execute(select(surveys.c.team).distinct().order_by(surveys.c.team)).scalars())


def count_rows(connection: Connection, selection: Selection) -> int:
    """Return the number of rows of an export."""
    query = select(func.count()).select_from(surveys)
    return sum(
        connection.execute(query.where(*_matching(selection, metric))).scalar_one() for metric in Metric
    )


def count_left_out(connection: Connection, selection: Selection) -> int:
    """Return the number of rows that are missing because of who requested them."""
    everybody = selection.model_copy(update={"exclude_requester": ""})
    is_excluded = surveys.c.requester == selection.exclude_requester
    query = select(func.count()).select_from(surveys).where(is_excluded)
    counts = [connection.execute(query.where(*_matching(everybody, metric))) for metric in Metric]
    return sum(count.scalar_one() for count in counts)


def fetch_page(
    connection: Connection, selection: Selection, metric: Metric, after: Cursor | None, limit: int
) -> list[ExportRow]:
    """Return the next rows of one metric without names, ordered by `sent_at`."""
    conditions = (*_matching(selection, metric), *([_is_after(after)] if after else []))
    query = _SELECT.where(*conditions).order_by(surveys.c.sent_at, surveys.c.id).limit(limit)
    return [ExportRow.model_construct(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name


def _matching(selection: Selection, metric: Metric) -> tuple[ColumnElement[bool], ...]:
    return (
        surveys.c.team == selection.team,
        surveys.c.metric == metric,
        surveys.c.sent_at >= selection.period.begin,
        surveys.c.sent_at < selection.period.end,
        surveys.c.state.in_(EXPORTED_STATES),
        surveys.c.requester != selection.exclude_requester,
    )


def _is_after(cursor: Cursor) -> ColumnElement[Any]:
    is_later = or_(surveys.c.sent_at > cursor.sent_at, surveys.c.id > cursor.survey_id)
    return (surveys.c.sent_at >= cursor.sent_at) & is_later

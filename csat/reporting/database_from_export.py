"""A temporary database from an export, so that the same queries count it as the app's database."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from csat.db.database import Database
from csat.db.tables import follow_ups, surveys
from csat.reporting.export_files import read_export
from csat.reporting.export_rows import NAME_COLUMNS, ExportRow
from csat.timeouts import Timeouts

BATCH_SIZE = 5_000
"""Rows per transaction."""

_NOT_EXPORTED = {
    "enterprise": "",
    "in_thread": False,
    "response_url": "",
    "display_name": "",
    "message": "",
    "privacy_url": "",
    "attempts": 1,
}
_LOW_RATING = {
    "taken_by": "low_taken_by",
    "taken_at": "low_taken_at",
    "closed_by": "low_closed_by",
    "closed_at": "low_closed_at",
    "note": "low_note",
}


class OpenExport(NamedTuple):
    """A temporary database with the rows of an export, and the names in it by id."""

    database: Database
    names: Mapping[str, str]


@contextlib.asynccontextmanager
async def open_export(path: Path) -> AsyncIterator[OpenExport]:
    """Yield an export in a temporary database.

    Raises `InvalidExport`, `OSError` or `DatabaseError`.
    """
    with (
        tempfile.TemporaryDirectory(prefix="csat-slack-") as folder,
        contextlib.closing(Database(f"sqlite:///{folder}/export.db", Timeouts())) as database,
    ):
        rows, names = read_export(path), dict[str, str]()
        while batch := list(islice(rows, BATCH_SIZE)):
            await database.run(_insert, batch)
            names |= {key: name for row in batch for key, name in row.names() if name}
        yield OpenExport(database, names)


def _insert(connection: Connection, rows: list[ExportRow]) -> None:
    connection.execute(insert(surveys), [_survey(row) for row in rows])
    if low := [row for row in rows if row.low_taken_at or row.low_closed_at]:
        connection.execute(insert(follow_ups), [_follow_up(row) for row in low])


def _survey(row: ExportRow) -> dict[str, Any]:
    columns = row.model_dump(exclude={"survey_id", *NAME_COLUMNS, *_LOW_RATING.values()})
    return {
        **_NOT_EXPORTED,
        **columns,
        "id": row.survey_id,
        "view_id": f"export:{row.survey_id}",
        "comment": row.comment or None,
        "received_at": row.accepted_at,
        "due_at": row.accepted_at,
        "quota_until": row.sent_at,
    }


def _follow_up(row: ExportRow) -> dict[str, Any]:
    columns = {column: getattr(row, field) for column, field in _LOW_RATING.items()}
    return {"survey_id": row.survey_id, "team": row.team, "opened_at": row.rated_at, **columns}

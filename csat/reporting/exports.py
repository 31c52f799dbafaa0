"""An export: a CSV file with a row for each survey, and beside it what the file holds and its checksum."""

import asyncio
import csv
import hashlib
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from csat.db.database import Database
from csat.reporting import export_queries
from csat.reporting.export_queries import Place
from csat.reporting.export_rows import COLUMNS, ExportRow, InvalidExport, Selection
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric

PAGE_SIZE = 2_000
"""Rows that are read in one transaction."""
ENCODING = "utf-8-sig"
"""Excel takes a file for UTF-8 only where it begins with that mark."""


class Manifest(FrozenModel):
    """What stands beside an export."""

    file: str
    selection: Selection
    rows: int
    sha256: str
    """Of the file's bytes."""
    columns: tuple[str, ...] = COLUMNS
    made_at: datetime


def manifest_path(path: Path) -> Path:
    """Return where the manifest of an export stands."""
    return path.with_name(f"{path.name}.manifest.json")


async def write_export(
    database: Database, selection: Selection, path: Path, made_at: datetime
) -> AsyncGenerator[int, None]:
    """Write a file and its manifest, yielding each page's row count; raises `DatabaseError`, `OSError`.

    The file has its name only when it is complete.
    """
    partial, sheet, rows = path.with_name(f"{path.name}.part"), _Sheet(), 0
    try:
        with partial.open("wb") as file:
            sheet.write(file, [COLUMNS])
            async for page in _pages(database, selection):
                await asyncio.to_thread(sheet.write, file, (row.to_cells() for row in page))
                rows += len(page)
                yield len(page)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    manifest = Manifest(
        file=path.name, selection=selection, rows=rows, sha256=sheet.checksum, made_at=made_at
    )
    manifest_path(path).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def verify_export(path: Path) -> Manifest:
    """Return the manifest of an export whose checksum is right; raises `InvalidExport` or `OSError`."""
    beside = manifest_path(path)
    if not beside.exists():
        raise InvalidExport(f"{beside.name} is missing: it stands beside the file that it was made with.")
    try:
        manifest = Manifest.model_validate_json(beside.read_bytes())
    except ValidationError:
        raise InvalidExport(f"{beside.name} can't be read: export once more.") from None
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    if checksum != manifest.sha256:
        raise InvalidExport(
            f"{path.name} was changed since it was exported: its checksum is not the manifest's."
        )
    return manifest


def read_export(path: Path) -> Iterator[ExportRow]:
    """Yield the rows of an export; raises `InvalidExport` or `OSError`."""
    with path.open(encoding=ENCODING, newline="") as file:
        sheet = csv.DictReader(file)
        if missing := set(COLUMNS) - set(sheet.fieldnames or ()):
            raise InvalidExport(f"{path.name} has no column {min(missing)}: it is no export of this app.")
        for cells in sheet:
            try:
                yield ExportRow.from_cells({name: cells[name] for name in COLUMNS})
            except InvalidExport as problem:
                raise InvalidExport(f"{path.name}, line {sheet.line_num}: {problem}") from None


async def _pages(database: Database, selection: Selection) -> AsyncIterator[list[ExportRow]]:
    for metric in Metric:
        after = None
        while page := await database.read(export_queries.page, selection, metric, after, PAGE_SIZE):
            yield page
            after = Place(page[-1].sent_at, page[-1].survey_id)


class _Sheet:
    """Writes rows as CSV, and keeps the checksum of what was written."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._begun = False

    @property
    def checksum(self) -> str:
        return self._digest.hexdigest()

    def write(self, file: BinaryIO, rows: Iterable[Iterable[str]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        written = text.getvalue().encode("utf-8" if self._begun else ENCODING)
        self._begun = True
        self._digest.update(written)
        file.write(written)

"""An export: a CSV file with a row per survey, and a manifest with its selection and checksum."""

import asyncio
import contextlib
import csv
import errno
import hashlib
import io
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from csat.db.database import Database
from csat.reporting import export_queries
from csat.reporting.export_queries import Cursor
from csat.reporting.export_rows import COLUMNS, REQUIRED_COLUMNS, ExportRow, InvalidExport, Selection
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric

FILE_MODE = 0o600
PAGE_SIZE = 2_000
"""Rows per transaction."""
ENCODING = "utf-8-sig"
"""UTF-8 with a byte order mark, without which Excel reads another encoding."""
ALREADY_EXISTS = "there is one already, so choose another name"

LookUpNames = Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]
"""Returns names by the ids of users and channels; some may be missing or empty."""


class Manifest(FrozenModel):
    """The contents of the manifest file."""

    file: str
    selection: Selection
    rows: int
    left_out: int
    """Surveys of the excluded requester, for which there are no rows."""
    tests: int = 0
    """Rows of test surveys, which reports leave out; older manifests lack it."""
    sha256: str
    """The checksum of the CSV file."""
    columns: tuple[str, ...] = COLUMNS
    made_at: datetime


def manifest_path(path: Path) -> Path:
    """Return the path of an export's manifest."""
    return path.with_name(f"{path.name}.manifest.json")


async def write_export(
    database: Database,
    selection: Selection,
    path: Path,
    now: datetime,
    look_up_names: LookUpNames,
    page_size: int = PAGE_SIZE,
) -> AsyncGenerator[int, None]:
    """Write an export and its manifest, yielding the number of rows after each page.

    Only their owner can read them. The file gets its name when it is complete.
    Raises `DatabaseError` or `OSError`.
    """
    writer, rows, tests = CsvWriter(), 0, 0
    with open_when_complete(path) as file:
        writer.write(file, [COLUMNS])
        async for page in _fetch_pages(database, selection, page_size):
            names = await look_up_names({each for row in page for each in row.ids()})
            await asyncio.to_thread(writer.write, file, (row.with_names(names).to_cells() for row in page))
            rows += len(page)
            tests += sum(row.test for row in page)
            yield len(page)
    manifest = Manifest(
        file=path.name,
        selection=selection,
        rows=rows,
        left_out=await database.read(export_queries.count_left_out, selection),
        tests=tests,
        sha256=writer.checksum,
        made_at=now,
    )
    with _open_private(manifest_path(path)) as file:
        file.write(f"{manifest.model_dump_json(indent=2)}\n".encode())


def read_manifest(path: Path) -> Manifest:
    """Return an export's manifest; raises `InvalidExport` or `OSError`."""
    if not path.exists():
        raise InvalidExport(f"There is no file {path}.")
    manifest_file = manifest_path(path)
    if not manifest_file.exists():
        raise InvalidExport(f"{manifest_file.name} is missing. Put it next to the exported file.")
    try:
        return Manifest.model_validate_json(manifest_file.read_bytes())
    except ValidationError:
        raise InvalidExport(f"{manifest_file.name} can't be read. Export the surveys again.") from None


def verify_export(path: Path) -> Manifest:
    """Return an export's manifest after comparing the checksum; raises `InvalidExport` or `OSError`."""
    manifest = read_manifest(path)
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    if checksum != manifest.sha256:
        raise InvalidExport(
            f"{path.name} was changed after it was exported: its checksum differs from the manifest's. "
            "Export the surveys again."
        )
    return manifest


def read_export(path: Path) -> Iterator[ExportRow]:
    """Yield the rows of an export; raises `InvalidExport` or `OSError`."""
    with path.open(encoding=ENCODING, newline="") as file:
        reader = csv.DictReader(file)
        if missing := REQUIRED_COLUMNS - set(reader.fieldnames or ()):
            raise InvalidExport(f"{path.name} is not an export: it has no column {min(missing)}.")
        for cells in reader:
            try:
                yield ExportRow.from_cells({name: cells[name] for name in COLUMNS if name in cells})
            except InvalidExport as error:
                raise InvalidExport(f"{path.name}, line {reader.line_num}: {error}") from None


async def _fetch_pages(database: Database, selection: Selection, size: int) -> AsyncIterator[list[ExportRow]]:
    for metric in Metric:
        after = None
        while page := await database.read(export_queries.fetch_page, selection, metric, after, size):
            yield page
            after = Cursor(page[-1].sent_at, page[-1].survey_id)


def refuse_existing(path: Path) -> None:
    """Raise `FileExistsError` if there is a file of this name already."""
    if path.exists():
        raise FileExistsError(errno.EEXIST, ALREADY_EXISTS, path)


@contextlib.contextmanager
def open_when_complete(path: Path) -> Iterator[BinaryIO]:
    """Open a file that only its owner can read, and that gets its name when the block ends without error.

    Raises `OSError`, also if there is a file of this name already.
    """
    refuse_existing(path)
    partial = path.with_name(f"{path.name}.part")
    try:
        with _open_private(partial) as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _open_private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, FILE_MODE), "wb")


class CsvWriter:
    """Writes rows as CSV and computes the checksum of the file."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._encoding = ENCODING

    @property
    def checksum(self) -> str:
        """The checksum of what was written, in hexadecimal digits."""
        return self._digest.hexdigest()

    def write(self, file: BinaryIO, rows: Iterable[Iterable[str]]) -> None:
        """Write rows at the file's end."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        data = text.getvalue().encode(self._encoding)
        self._encoding = "utf-8"  # the byte order mark only begins the file
        self._digest.update(data)
        file.write(data)

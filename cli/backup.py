"""`python app.py backup FILE`: a copy of an SQLite database, also while the app runs."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from cli.errors import CommandError
from cli.existing_database import find_file, require_file
from csat.reporting.export_files import refuse_existing
from csat.reporting.formatting import pluralize
from csat.settings import SettingsWithoutXKeys

FILE_MODE = 0o600
"""Only its owner can read a backup: it holds handles and comments."""

TARGET_ERRORS = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})
"""SQLite's error for the file to which it writes a copy, as it only reads the other."""
ACCESS_ERRORS = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})
"""SQLite's error for a file that it can't open, or beside which it can't put those of its log."""


class BackupError(CommandError):
    """There is no backup."""


class Contents(NamedTuple):
    """How much of value is in a database; `str()` says it."""

    surveys: int
    opt_outs: int
    """Lifted ones included, as they keep their row."""

    def __str__(self) -> str:
        return f"{pluralize(self.surveys, 'survey')} and {pluralize(self.opt_outs, 'opt-out')}"


def database_file(settings: SettingsWithoutXKeys) -> Path:
    """Return the file of the database; raises `BackupError` if it is not one of SQLite."""
    if file := find_file(settings):
        return file
    raise BackupError("DATABASE_URL is of PostgreSQL: use pg_dump and pg_restore, then after-restore.")


def back_up(database: Path, target: Path) -> Contents:
    """Write a copy of the database as it is at this moment; return what is in it.

    Raises:
        BackupError: the target exists, the disk is full, or the database is damaged or another program's.
        CommandError: there is no database.
    """
    require_file(database)
    with _connect(database) as connection, _new_file(target) as partial:
        if not _has_surveys(connection):
            raise BackupError(f"{database}: it is empty, or another program's. Check DATABASE_URL.")
        _copy(connection, partial, target)
        return check_backup(partial)


def check_backup(backup: Path) -> Contents:
    """Return what is in a backup; raises `BackupError` if it is damaged or none."""
    if not backup.exists():
        raise BackupError(f"there is no file {backup}.")
    with _connect(backup) as connection:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise BackupError(f"{backup} is damaged: {found}.")
        if not _has_surveys(connection):
            raise BackupError(
                f"{backup}: it is empty, or another program's. Name a file that `backup` wrote."
            )
        return count_contents(connection)


def count_contents(connection: sqlite3.Connection) -> Contents:
    """Return what is in a database of this app, which can be of a version without opt-outs."""
    (surveys,) = connection.execute("SELECT count(*) FROM surveys").fetchone()
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'opt_outs'").fetchone():
        return Contents(surveys, 0)
    (opt_outs,) = connection.execute("SELECT count(*) FROM opt_outs").fetchone()
    return Contents(surveys, opt_outs)


def _has_surveys(connection: sqlite3.Connection) -> bool:
    """Return True for a database of this app, whose table of surveys may have no rows."""
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'surveys'").fetchone())


def _copy(connection: sqlite3.Connection, partial: Path, target: Path) -> None:
    try:
        connection.execute("VACUUM INTO ?", (str(partial),))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in TARGET_ERRORS:
            raise
        raise BackupError(f"{target} can't be written: {error}. Free space on its disk.") from error


@contextlib.contextmanager
def _connect(file: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        advice = ""
        if error.sqlite_errorcode & 0xFF in ACCESS_ERRORS:
            advice = f" Run this command as the user of the app, who can write to {file.absolute().parent}."
        raise BackupError(f"{file}: {error}.{advice}") from error


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """Yield the path of an empty file, which gets its name when the block ends without error.

    What an interrupted backup has left is replaced.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        refuse_existing(path)
        _delete(partial)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
    except OSError as error:
        raise BackupError(f"{path} can't be written: {error.strerror}.") from error
    try:
        yield partial
        partial.replace(path)
    finally:
        _delete(partial)


def _delete(partial: Path) -> None:
    """Delete a file, and the journal with which SQLite would change the next one of its name."""
    for suffix in ("", "-journal"):
        partial.with_name(f"{partial.name}{suffix}").unlink(missing_ok=True)

"""`python app.py restore FILE`: puts a backup in the place of the SQLite database of a stopped app.

`python app.py after-restore` does the rest of it after a database was restored by other means.
"""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import typer

from cli.backup import Contents, back_up, check_backup, count_contents, database_file
from cli.errors import CommandError
from cli.existing_database import find_file
from csat.clock import utc_now
from csat.db.database import Database
from csat.db.inspection import Schema, inspect_database, is_app_connected
from csat.db.rating_link_secrets import load_rating_link_secrets
from csat.db.restored_surveys import ask_about_unsettled
from csat.reporting.formatting import pluralize
from csat.settings import SettingsWithoutXKeys
from csat.timeouts import Timeouts

TO_REDO = (
    "What was done since the backup has to be done again: record opt-outs (/csat stop, or opt-outs import), "
    "and run forget for the customers who were erased."
)
TO_ROTATE = (
    "The backup has the secret of the links to the rating page. If others may have read it, or if the secret "
    "was rotated since, run python app.py rotate-link-secret."
)
ADD_REPLACE = "Add --replace to lose what is in it."
FIRST_EXPORT = f"{ADD_REPLACE} Before that, list its opt-outs with python app.py opt-outs export. {TO_REDO}"
IN_USE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


async def run(settings: SettingsWithoutXKeys, source: Path, *, replace: bool) -> None:
    """Restore a backup, and print what it holds; raises `CommandError`, `DatabaseError` or `OSError`."""
    database = database_file(settings).resolve()
    if not database.parent.exists():
        raise CommandError(f"there is no folder {database.parent}. Create it, or check DATABASE_URL.")
    contents = _check_source(source, database)
    owner = (database if database.exists() else database.parent).stat()
    with _lock(database) as connection:
        if not replace and (loss := _describe_loss(connection)):
            raise CommandError(f"{database} {loss}")
        with tempfile.TemporaryDirectory(prefix="restoring-", dir=database.parent) as folder:
            restored = Path(folder) / database.name
            back_up(source, restored)
            unsettled, has_links = await _prepare(f"sqlite:///{restored}", settings.timeouts)
            if os.geteuid() == 0:
                os.chown(restored, owner.st_uid, owner.st_gid)  # the app may run as another user
            _put_in_place(restored, database)
    typer.echo(f"Restored {database}: {contents}. {TO_REDO}")
    _tell(unsettled, has_links=has_links)


async def run_after_restore(settings: SettingsWithoutXKeys) -> None:
    """Prepare a database that something else has restored, and print what to do.

    Raises `CommandError` if it has no tables or the app runs, or `DatabaseError`.
    """
    url = settings.database_url.get_secret_value()
    if inspect_database(url, settings.timeouts) is Schema.MISSING:
        raise CommandError("the database has no tables. Restore it first, or check DATABASE_URL.")
    _require_stopped_app(settings)
    unsettled, has_links = await _prepare(url, settings.timeouts)
    typer.echo(f"The restored database is ready for the app to start. {TO_REDO}")
    _tell(unsettled, has_links=has_links)


def _require_stopped_app(settings: SettingsWithoutXKeys) -> None:
    if file := find_file(settings):
        with _lock(file):
            pass
    elif is_app_connected(settings.database_url.get_secret_value(), settings.timeouts):
        raise CommandError("the database is in use: stop the app first.")


def _check_source(source: Path, database: Path) -> Contents:
    if source.exists() and source.resolve() == database:
        raise CommandError(f"{source} is the database itself. Name a file that `backup` wrote.")
    return check_backup(source)


async def _prepare(url: str, timeouts: Timeouts) -> tuple[int, bool]:
    """Migrate a restored database, and have requesters asked what is not settled.

    Return how many surveys that are, and whether it has the secret of links to the rating page.
    """
    with contextlib.closing(Database(url, timeouts)) as database:
        unsettled = await database.run(ask_about_unsettled, utc_now())
        return unsettled, bool(await database.read(load_rating_link_secrets))


def _tell(unsettled: int, *, has_links: bool) -> None:
    if has_links:
        typer.echo(TO_ROTATE)
    if unsettled:
        typer.echo(
            f"Not settled when the backup was made: {pluralize(unsettled, 'survey')}, which may have been "
            "sent since. The app sends none of them again by itself: it asks their requesters whether they "
            "arrived."
        )


@contextlib.contextmanager
def _lock(database: Path) -> Iterator[sqlite3.Connection]:
    """Keep others from the database, which may be damaged; raises `CommandError` if one has it open.

    If it does not exist, connecting makes an empty file, which is deleted again unless it was replaced.
    """
    is_missing = not database.exists()
    with contextlib.closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=DELETE")  # fails while anybody else is connected
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode in IN_USE:
                raise CommandError(f"{database} is in use: stop the app first.") from error
        try:
            yield connection
        finally:
            if is_missing and database.stat().st_size == 0:
                database.unlink()


def _describe_loss(connection: sqlite3.Connection) -> str:
    """Return what replacing a database would lose, and what to do before, or ""."""
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            return ""
        contents = count_contents(connection)
    except sqlite3.DatabaseError as error:
        return f"can't be read ({error}). {ADD_REPLACE}"
    return f"has {contents}. {FIRST_EXPORT}" if any(contents) else ""


def _put_in_place(restored: Path, database: Path) -> None:
    """Replace a database durably, with the files that belong to it."""
    for suffix in ("-wal", "-shm", "-journal"):
        database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)
    restored.replace(database)
    folder = os.open(database.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

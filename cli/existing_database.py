"""Open the database for a command that works on what is in it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from cli.errors import CommandError
from csat.db.database import Database
from csat.settings import SettingsWithoutXKeys


@contextlib.contextmanager
def open_existing(settings: SettingsWithoutXKeys) -> Iterator[Database]:
    """Open the database until the block ends, without migrating it.

    Raises:
        CommandError: there is none.
        DatabaseError: it is unavailable, or has another than the current schema.
    """
    if file := find_file(settings):
        require_file(file)
    url = settings.database_url.get_secret_value()
    with contextlib.closing(Database(url, settings.timeouts, may_migrate=False)) as database:
        yield database


def find_file(settings: SettingsWithoutXKeys) -> Path | None:
    """Return the path of the SQLite database, which may be missing; `None` if it is one of PostgreSQL."""
    url = make_url(settings.database_url.get_secret_value())
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def require_file(file: Path) -> None:
    """Raise `CommandError` if the file of an SQLite database is missing."""
    if not file.exists():
        raise CommandError(f"there is no database at {file.absolute()}. Check DATABASE_URL.")

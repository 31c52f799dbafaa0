"""Open the database for a command that works on what is in it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from cli.errors import CommandError
from csat.db.database import Database
from csat.settings import Settings


@contextlib.contextmanager
def open_existing(settings: Settings) -> Iterator[Database]:
    """Open the database until the block ends; raises `CommandError` if there is none, or `DatabaseError`."""
    if file := find_file(settings):
        require_file(file)
    with contextlib.closing(Database(settings.database_url.get_secret_value())) as database:
        yield database


def find_file(settings: Settings) -> Path | None:
    """Return the path of the SQLite database, which may be missing; `None` if it is one of PostgreSQL."""
    url = make_url(settings.database_url.get_secret_value())
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def require_file(file: Path) -> None:
    """Raise `CommandError` if the file of an SQLite database is missing."""
    if not file.exists():
        raise CommandError(f"there is no database at {file.absolute()}. Check DATABASE_URL.")

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
    url = settings.database_url.get_secret_value()
    file = make_url(url).database if url.startswith("sqlite") else None
    if file:
        require_file(Path(file))
    with contextlib.closing(Database(url)) as database:
        yield database


def require_file(file: Path) -> None:
    """Raise `CommandError` if the file of an SQLite database is missing."""
    if not file.exists():
        raise CommandError(f"there is no database at {file.absolute()}. Check DATABASE_URL.")

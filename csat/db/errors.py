"""Errors of the database.

DatabaseError         the database is unavailable; nothing was written
├── Locked            another program holds SQLite's lock
├── CommitUnknown     the connection was lost during a commit; everything was written, or nothing
├── Rejected          the database rejects the transaction, also if it is repeated
├── NotOurs           the file has tables of another program
├── SchemaTooOld      this version of the app has not migrated the database yet
└── SchemaTooNew      a newer version of the app has migrated the database
"""

import contextlib
import logging
import sqlite3
from collections.abc import Coroutine, Iterator
from typing import Any

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

log = logging.getLogger(__name__)


class DatabaseError(Exception):
    """The database is unavailable; nothing was written, except perhaps with `CommitUnknown`."""


class Locked(DatabaseError):
    """Another program holds SQLite's lock; nothing was written."""


class CommitUnknown(DatabaseError):
    """The connection was lost during a commit; everything was written, or nothing."""


class Rejected(DatabaseError):
    """The database rejects the transaction, also if it is repeated; nothing was written."""


class NotOurs(DatabaseError):
    """The SQLite file has tables of another program."""


class SchemaTooOld(DatabaseError):
    """This version of the app has not migrated the database yet."""


class SchemaTooNew(DatabaseError):
    """A newer version of the app has migrated the database."""


async def suppress_db_errors(work: Coroutine[Any, Any, None]) -> None:
    """Await work that a later poll repeats, logging `DatabaseError` instead of raising it."""
    try:
        await work
    except DatabaseError as error:
        log.warning("Postponed, the database is unavailable: %s", error)


@contextlib.contextmanager
def translate_errors() -> Iterator[None]:
    """Raise an error of the database driver as `Rejected` or `DatabaseError`."""
    try:
        yield
    except DBAPIError as error:
        # PostgreSQL quotes the row that it rejects, below the first line
        reason = str(error.orig).partition("\n")[0]
        raise _kind(error)(reason).with_traceback(error.__traceback__) from None


def _kind(error: DBAPIError) -> type[DatabaseError]:
    if isinstance(error, DataError | IntegrityError | ProgrammingError):
        return Rejected
    is_locked = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    return Locked if is_locked else DatabaseError

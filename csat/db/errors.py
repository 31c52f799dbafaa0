"""Errors of the database.

DatabaseError         it is unavailable, and nothing was written
└── SchemaTooNew      its schema was written by a newer version of the app
"""

import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class DatabaseError(Exception):
    """The database is unavailable; nothing was written."""


class SchemaTooNew(DatabaseError):
    """The database was written by a newer version of the app."""


async def suppress_db_errors(work: Coroutine[Any, Any, None]) -> None:
    """Await work that a later poll repeats, logging `DatabaseError` instead of raising it."""
    try:
        await work
    except DatabaseError as error:
        log.warning("Postponed, the database is unavailable: %s", error)

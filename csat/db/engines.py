"""Open SQLAlchemy's engines for SQLite and PostgreSQL, and describe their databases."""

import contextlib
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import DBAPIError

from csat.ambiguous_urls import is_ambiguous
from csat.db.errors import DatabaseError
from csat.db.migrations.upgrade import require_current, upgrade
from csat.timeouts import Timeouts

WRITER_THREADS = 3
"""Concurrent writers on PostgreSQL: of transactions with a deadline, of write checks, and of all others."""
READER_THREADS = 2
"""Concurrent read-only transactions."""

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a commit survives a power failure
    "foreign_keys=ON",
    "secure_delete=FAST",  # deleted content is overwritten
)

EXISTS_ALREADY = frozenset({"42P07", "42701", "42710"})
"""PostgreSQL's errors for a table, a column or another object."""
NEWER_TABLES = "It has tables of a newer version: restore the dump into an empty database."

FILE_MODE = 0o600
"""Only its owner can read a database: it holds handles, messages and comments."""


def describe(url: str) -> str:
    """Return which database a URL is of, without user and password."""
    if is_ambiguous(url):
        return "PostgreSQL"
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return f"SQLite, {Path(parts.database or '').absolute()}"
    host = parts.host or parts.query.get("host", "localhost")
    if parts.port and not parts.username:  # or else a user and a password, with a / in it, and no host
        return f"PostgreSQL at {host}"
    return f"PostgreSQL, {parts.database} at {host}{f':{parts.port}' if parts.port else ''}"


def open_engine(url: str, timeouts: Timeouts, *, may_migrate: bool = True) -> Engine:
    """Connect to a database with the current schema, or migrate it to that; raises `DatabaseError`."""
    engine = create_engine(url, timeouts)
    if engine.dialect.name == "sqlite":
        if may_migrate:
            _create_missing(Path(engine.url.database or ""))
        event.listen(engine, "do_connect", _open_existing)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(engine.dispose)
        try:
            (upgrade if may_migrate else require_current)(engine, timeouts.postgresql_start)
        except DBAPIError as error:
            raise DatabaseError(f"the database can't be opened: {_describe_failure(error)}") from error
        on_failure.pop_all()
    return engine


def _describe_failure(error: DBAPIError) -> str:
    if getattr(error.orig, "sqlstate", None) in EXISTS_ALREADY:
        return f"{str(error.orig).splitlines()[0]}. {NEWER_TABLES}"
    return str(error.orig)


def _create_missing(file: Path) -> None:
    """Create the file of an SQLite database with a mode that SQLite gives to its log too."""
    try:
        if not file.exists():
            file.touch(FILE_MODE)
    except OSError as error:
        raise DatabaseError(f"the file {file} can't be created: {error.strerror}") from error


def create_engine(url: str, timeouts: Timeouts) -> Engine:
    """Return an engine, which has not connected yet; raises `DatabaseError` if the URL can't be used."""
    try:
        return _create_engine(url, timeouts)
    except (sqlalchemy.exc.ArgumentError, ImportError) as error:
        raise DatabaseError(f"the database URL can't be used: {error}") from error


def _create_engine(url: str, timeouts: Timeouts) -> Engine:
    if url.startswith("postgresql"):
        from csat.db import postgresql_connections  # noqa: PLC0415 - its driver takes a tenth of the app's memory

        return postgresql_connections.create_engine(url, WRITER_THREADS + READER_THREADS, timeouts)
    engine = sqlalchemy.create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_configure_sqlite, timeouts.sqlite_lock))
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(
    lock_timeout: float, connection: sqlalchemy.engine.interfaces.DBAPIConnection, _record: object
) -> None:
    connection.isolation_level = None  # else the driver begins transactions, and not IMMEDIATE
    cursor = connection.cursor()
    for pragma in (*PRAGMAS, f"busy_timeout={lock_timeout * 1000:.0f}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _open_existing(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> None:
    """Open an SQLite file only if it exists, so that a missing one is not taken for an empty database."""
    arguments[0] = f"file:{quote(arguments[0])}?mode=rw"
    options["uri"] = True


def _begin_sqlite(connection: Connection) -> None:
    is_read_only = connection.get_execution_options().get("is_read_only")
    connection.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")

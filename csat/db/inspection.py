"""Inspect a database as the app would find it at its start, without migrating it."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from csat.db.engines import create_engine
from csat.db.errors import DatabaseError, translate_errors
from csat.db.migrations.upgrade import is_current, read_revision
from csat.db.recipient_keys import has_other_secret, lacks_secret
from csat.db.tables import write_checks
from csat.db.transaction_deadlines import respond_within
from csat.db.write_check import try_write
from csat.timeouts import Timeouts

NEW_FILE_BYTES = 2**20
"""More than an SQLite file with all tables takes."""


_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name = (SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid())"
)


class Schema(Enum):
    """The state of the schema that the next start of the app finds."""

    CURRENT = "current"
    OUTDATED = "outdated"
    MISSING = "missing"


class SecretProblem(Enum):
    """The problem with the secret of the recipients' keys."""

    MISSING = "missing"
    """The database was used with the secret of X before it kept one, and the settings lack that."""
    OTHER = "other"
    """Customers have opted out by another one."""


def inspect_database(url: str, timeouts: Timeouts) -> Schema:
    """Return what is in a database once it has taken a write; creates no file and no table.

    Raises:
        DatabaseError: the next start would fail, or the database takes no writes.
    """
    engine = create_engine(url, timeouts)
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file and not Path(file).exists():
        _write_temporary_file(Path(file).absolute().parent)
        return Schema.MISSING
    with _connect(engine, timeouts) as connection, connection.begin():
        return _inspect(connection)


def find_secret_problem(
    url: str, timeouts: Timeouts, x_api_secret: str | None, own: str | None
) -> SecretProblem | None:
    """Return why the next start would fail for want of the secret of the recipients' keys.

    Takes the secrets of `load_secret`. Raises `DatabaseError`.
    """
    with _connect(create_engine(url, timeouts), timeouts) as connection:
        if not (x_api_secret or own) and lacks_secret(connection):
            return SecretProblem.MISSING
        return SecretProblem.OTHER if has_other_secret(connection, x_api_secret, own) else None


def is_app_connected(url: str, timeouts: Timeouts) -> bool:
    """Return True if the app is connected to a PostgreSQL database; raises `DatabaseError`."""
    with _connect(create_engine(url, timeouts), timeouts) as connection:
        return bool(connection.execute(_OTHERS).scalar())


@contextlib.contextmanager
def _connect(engine: Engine, timeouts: Timeouts) -> Iterator[Connection]:
    """Connect until the block ends, for which PostgreSQL has the time of a write; raises `DatabaseError`."""
    try:
        with respond_within(timeouts.database_write), translate_errors(), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _inspect(connection: Connection) -> Schema:
    is_ready = is_current(connection)
    if inspect(connection).has_table(write_checks.name):
        try_write(connection)
    else:
        write_checks.create(connection)  # as a migration will create others
        try_write(connection)
        write_checks.drop(connection)
    if is_ready:
        return Schema.CURRENT
    return Schema.OUTDATED if read_revision(connection) else Schema.MISSING


def _write_temporary_file(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(NEW_FILE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DatabaseError(f"no file can be written in {folder}: {error.strerror}") from error

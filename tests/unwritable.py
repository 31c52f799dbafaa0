"""Make databases that can be read, but take no writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import sqlalchemy
from sqlalchemy import Connection, event


class Problem(Enum):
    """A switch that keeps a database from writing: a pragma of SQLite, and a setting of PostgreSQL."""

    FULL = "max_page_count=1", "temp_file_limit = 0"
    READ_ONLY = "query_only=ON", "default_transaction_read_only = on"


REASONS = {
    (Problem.FULL, "sqlite"): "database or disk is full",
    (Problem.FULL, "postgresql"): 'temporary file size exceeds "temp_file_limit"',
    (Problem.READ_ONLY, "sqlite"): "attempt to write a readonly database",
    (Problem.READ_ONLY, "postgresql"): "in a read-only transaction",
}
"""A part of each error, by the kind of the database."""


@contextmanager
def unwritable(url: str, problem: Problem) -> Iterator[str]:
    """Let a database have a problem until the block ends, and yield a part of its error."""
    kind = sqlalchemy.make_url(url).get_backend_name()
    pragma, setting = problem.value

    def execute_pragma(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA {pragma}")

    if kind == "postgresql":
        _set_for_new_connections(url, setting)
    event.listen(sqlalchemy.Engine, "begin", execute_pragma)
    try:
        yield REASONS[problem, kind]
    finally:
        event.remove(sqlalchemy.Engine, "begin", execute_pragma)


def _set_for_new_connections(url: str, setting: str) -> None:
    """Change a setting of a PostgreSQL database, and end the connections to it, as a failover does."""
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} SET {setting}")
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    engine.dispose()

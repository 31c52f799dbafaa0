"""Try a write, to tell a database that is full or read-only from one that works.

A small row would not do: on a full disk it may still fit in SQLite's log, or in a page of PostgreSQL.
"""

from sqlalchemy import Connection, delete, func, insert, select

from csat.db.tables import write_checks

TEXT = "x" * 32_768
"""Takes more pages of an SQLite file and its log than a survey does; PostgreSQL compresses it."""
SPILLED_ROWS = 10_000
"""Take more than 64 kB."""


def try_write(connection: Connection) -> None:
    """Write a row and delete it again, to be committed.

    Instances do not wait for one another: none sees the row of another.
    """
    if connection.dialect.name == "postgresql":
        _spill(connection)
    connection.execute(insert(write_checks).values(text=TEXT))
    connection.execute(delete(write_checks))


def _spill(connection: Connection) -> None:
    """Run a query that PostgreSQL needs a temporary file for."""
    connection.exec_driver_sql("SET LOCAL work_mem = '64kB'")
    connection.execute(select(func.count()).select_from(func.generate_series(1, SPILLED_ROWS)))

"""Try a write, to tell a database that is full or read-only from one that works."""

from sqlalchemy import Connection, delete, func, insert, select

from csat.db.tables import write_checks

TEXT = "x" * 32_768
"""Takes more pages of an SQLite file and its log than a survey does."""
SPILLED_ROWS = 10_000
"""Do not fit in 64 kB."""


def try_write(connection: Connection) -> None:
    """Write as much as a survey does, and delete it again: only a commit then leaves a trace, in the log.

    Instances do not wait for one another here: none sees a row of another.
    """
    if connection.dialect.name == "postgresql":
        _spill(connection)
    connection.execute(insert(write_checks).values(text=TEXT))
    connection.execute(delete(write_checks))


def _spill(connection: Connection) -> None:
    """Run a query that needs a temporary file, as a full disk may still have room for single rows."""
    connection.exec_driver_sql("SET LOCAL work_mem = '64kB'")
    connection.execute(select(func.count()).select_from(func.generate_series(1, SPILLED_ROWS)))

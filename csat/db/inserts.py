"""Rows that are there once, whoever comes first to write them."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_if_absent(connection: Connection, table: Table, **values: Any) -> bool:  # noqa: ANN401
    """Insert a row unless its key is taken; whether it was inserted."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    once = insert(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(once).first() is not None

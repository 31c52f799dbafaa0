"""Create and drop indexes concurrently: other instances go on writing to the table."""

from typing import Any

import sqlalchemy as sa
from alembic import op


def create_index(name: str, table: str, columns: list[str | sa.TextClause], where: str | None = None) -> None:
    """Create an index unless it exists, on PostgreSQL without blocking writers; `where` makes it partial.

    There it commits what the migration did before, which must therefore bear being repeated. An index whose
    creation was interrupted is created again.
    """
    condition = sa.text(where) if where else None
    options: dict[str, Any] = {
        "sqlite_where": condition,
        "postgresql_where": condition,
        "if_not_exists": True,
    }
    if op.get_context().dialect.name != "postgresql":
        op.create_index(name, table, columns, **options)
        return
    with op.get_context().autocommit_block():
        if _is_invalid(name):
            op.drop_index(name, table, postgresql_concurrently=True)
        op.create_index(name, table, columns, postgresql_concurrently=True, **options)


def drop_index(name: str, table: str) -> None:
    """Drop an index if it exists, on PostgreSQL like `create_index`."""
    if op.get_context().dialect.name != "postgresql":
        op.drop_index(name, table, if_exists=True)
        return
    with op.get_context().autocommit_block():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


def _is_invalid(name: str) -> bool:
    query = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"
    return bool(op.get_bind().execute(sa.text(query), {"name": name}).scalar())

"""Alembic's entry point: migrate over the connection of `upgrade`."""

from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import inspect, update

from csat.db.tables import compatibility, metadata


def store_compatibility(
    ctx: MigrationContext,
    step: MigrationInfo,
    heads: Collection[Any],  # noqa: ARG001 - passed by Alembic
    run_args: Mapping[str, Any],  # noqa: ARG001 - same
) -> None:
    """Exclude older versions of the app, unless the migration says that they work with its schema."""
    migration: Any = step.up_revision
    is_compatible = getattr(migration.module, "is_backward_compatible", False)
    if ctx.connection and not is_compatible and inspect(ctx.connection).has_table(compatibility.name):
        ctx.connection.execute(update(compatibility).values(oldest_revision=migration.revision))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
    on_version_apply=store_compatibility,
)
with context.begin_transaction():
    context.run_migrations()

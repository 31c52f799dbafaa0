"""Alembic's entry point: migrate over the connection of `upgrade`."""

from alembic import context

from csat.db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()

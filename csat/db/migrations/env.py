"""Where Alembic enters: it migrates over the connection that `upgrade` began."""

from alembic import context

from csat.db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()

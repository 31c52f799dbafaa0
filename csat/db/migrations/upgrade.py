"""Migrate a database to the current schema, once, even if several instances start together."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from csat.db.errors import SchemaTooNew

HEAD_REVISION = "0006"
"""The latest migration; a test compares it with the folder."""

_ADVISORY_LOCK = 0x43534154
"""An arbitrary key of PostgreSQL's advisory locks."""


def upgrade(engine: Engine) -> None:
    """Run the missing migrations in one transaction; raises `SchemaTooNew`."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
        if _read_revision(connection) != HEAD_REVISION:
            migrate(connection)


def _read_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to a revision; raises `SchemaTooNew`."""
    # imported here, as Alembic takes a tenth of the app's memory and is seldom needed
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script.revision import ResolutionError  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except (CommandError, ResolutionError) as error:
        raise SchemaTooNew(
            f"The database is newer than this version of the app, which knows revision {HEAD_REVISION}: "
            "update the app."
        ) from error

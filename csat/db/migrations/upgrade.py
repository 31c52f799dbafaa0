"""Bring a database to the newest schema, once, whoever starts first."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from csat.db.errors import SchemaTooNew

NEWEST = "0003"
"""The revision of this version of the app; a test holds it to the migrations."""

_LOCK = 0x43534154
"""Any number of one's own: PostgreSQL's advisory locks are numbers."""


def upgrade(engine: Engine) -> None:
    """Run what is missing, in one transaction; raises `SchemaTooNew`."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _revision(connection) != NEWEST:
            migrate(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to a revision; raises `SchemaTooNew`."""
    # a database is migrated once, and Alembic is a tenth of the app's memory
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
            f"The database is newer than this version of the app, which knows it up to revision {NEWEST}: "
            "update the app."
        ) from error

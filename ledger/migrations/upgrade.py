"""Bring a database to the newest schema, once, whoever starts first."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util.exc import CommandError
from sqlalchemy import Engine, text

from ledger.errors import TooNew

_LOCK = 0x43534154
"""Any number of one's own: PostgreSQL's advisory locks are numbers."""


def upgrade(engine: Engine) -> None:
    """Run what is missing, in one transaction; raises `TooNew`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except (CommandError, ResolutionError) as error:
            head = ScriptDirectory.from_config(config).get_current_head()
            raise TooNew(
                f"The database is newer than this version of the app, which knows it up to revision {head}: "
                "update the app."
            ) from error

"""Migrate a database to the current schema, once, even if several instances start together.

On PostgreSQL migrations have no time limit, and the instances that start meanwhile wait; only the steps
before them, which take no time, have one. Each migration is a transaction, so that indexes can be created in
between without blocking the instances that still run.
"""

import logging
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select, text

from csat.db.errors import NotOurs, SchemaTooNew, SchemaTooOld
from csat.db.tables import compatibility
from csat.db.transaction_deadlines import respond_within

HEAD_REVISION = "0022"
"""The latest migration; a test compares it with the folder."""

LOCK_POLL_SECONDS = 0.2
"""Between two looks whether another instance has finished its migrations."""

_ADVISORY_LOCK = 0x43534154
"""An arbitrary key of PostgreSQL's advisory locks."""

_TIMEOUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")

FOLDER = Path(__file__).parent

log = logging.getLogger(__name__)


def upgrade(engine: Engine, seconds: float) -> None:
    """Run the missing migrations; raises `SchemaTooNew` or `NotOurs`.

    PostgreSQL has some `seconds` to respond to everything but a migration.
    """
    if engine.dialect.name == "postgresql":
        _upgrade_postgresql(engine, seconds)
        return
    with engine.begin() as connection:
        if not is_current(connection):
            _log_migration(connection)
            migrate(connection)


def require_current(engine: Engine, seconds: float) -> None:
    """Raise `SchemaTooOld` if migrations are missing, or `SchemaTooNew`; PostgreSQL has some `seconds`."""
    with respond_within(seconds), engine.connect() as connection:
        if is_current(connection):
            return
        if revision := read_revision(connection):
            raise SchemaTooOld(
                f"the database is of an older version (revision {revision}): start this version of the app "
                "first, which upgrades it, or use the older one."
            )
        raise SchemaTooOld("the database has no tables yet: start the app first, which creates them.")


def is_current(connection: Connection) -> bool:
    """Return True if this version of the app works with the schema; raises `SchemaTooNew`."""
    revision, known = read_revision(connection), known_revisions()
    if revision == HEAD_REVISION:
        return True
    if revision is None or revision in known:
        return False
    if _read_oldest_compatible(connection) in known:
        return True
    raise SchemaTooNew(
        f"The database has revision {revision}, which this version of the app can't use: it knows revisions "
        f"up to {HEAD_REVISION}. Update the app."
    )


def read_revision(connection: Connection) -> str | None:
    """Return the database's revision; `None` if it has no tables yet.

    Raises `NotOurs` for an SQLite file with those of another program.
    """
    inspector = inspect(connection)
    if not inspector.has_table("alembic_version"):
        if connection.dialect.name == "sqlite" and (names := inspector.get_table_names()):
            raise NotOurs(
                f"the file is another program's, as it has a table named {names[0]}. "
                "Set DATABASE_URL to another file."
            )
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def known_revisions() -> frozenset[str]:
    """Return the revisions that this version of the app has migrations to."""
    return frozenset(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def migrate(connection: Connection, revision: str = "head", folder: Path = FOLDER) -> None:
    """Run the migrations of a folder up to a revision, each in a transaction unless one has begun."""
    # imported here, as Alembic takes a tenth of the app's memory and is seldom needed
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _upgrade_postgresql(engine: Engine, seconds: float) -> None:
    with respond_within(seconds):
        connection = engine.connect()
    with connection:
        try:
            with respond_within(seconds):
                for timeout in _TIMEOUTS:
                    connection.exec_driver_sql(f"SET {timeout} = 0")
                if is_current(connection):
                    return
            _lock_migrations(connection, seconds)
            _migrate_postgresql(connection, seconds)
        finally:
            connection.invalidate()  # ends the lock, and is not used again without timeouts


def _migrate_postgresql(connection: Connection, seconds: float) -> None:
    with respond_within(seconds):
        if is_current(connection):
            return
        _log_migration(connection)
        connection.commit()
    migrate(connection)


def _log_migration(connection: Connection) -> None:
    if revision := read_revision(connection):
        log.info("Migrating the database from revision %s to %s", revision, HEAD_REVISION)
    else:
        log.info("Creating the database's tables")


def _lock_migrations(connection: Connection, seconds: float) -> None:
    """Wait until no other instance migrates the database, and keep others from it while connected.

    Polls, as a transaction that waits here would block the creation of an index over there.
    """
    if not _try_to_lock(connection, seconds):
        log.warning("Waiting for another instance, which migrates the database")
        while not _try_to_lock(connection, seconds):
            time.sleep(LOCK_POLL_SECONDS)


def _try_to_lock(connection: Connection, seconds: float) -> bool:
    with respond_within(seconds):
        is_locked = connection.execute(select(func.pg_try_advisory_lock(_ADVISORY_LOCK))).scalar_one()
        connection.commit()
        return bool(is_locked)


def _read_oldest_compatible(connection: Connection) -> str | None:
    if not inspect(connection).has_table(compatibility.name):
        return None
    oldest: str | None = connection.execute(select(compatibility.c.oldest_revision)).scalar()
    return oldest

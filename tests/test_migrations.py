"""Migrations bring databases to the current schema and keep their rows."""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData

from csat.db.database import Database
from csat.db.errors import DatabaseError, NotOurs, SchemaTooNew
from csat.db.migrations import upgrade
from csat.db.tables import compatibility, metadata
from csat.timeouts import Timeouts
from tests.databases import KINDS, Databases
from tests.timeouts import GENEROUS, WAIT_SECONDS

pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index")

MIGRATIONS = Path(upgrade.__file__).parent

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SURVEY = {
    "state": "sent",
    "team": "T1",
    "enterprise": "",
    "channel": "C1",
    "thread": "1.1",
    "in_thread": True,
    "requester": "U1",
    "response_url": "",
    "received_at": NOON,
    "account": "A1",
    "metric": "csat",
    "variant": 0,
    "display_name": "Northwind",
    "recipient_handle": "mira_k",
    "recipient_id": "33",
    "recipient_key": "k33",
    "message": "How did we do?",
    "privacy_url": "",
    "external_id": "case_1",
    "test": False,
    "accepted_at": NOON,
    "due_at": NOON,
    "lease_owner": "a1b2",
    "lease_until": NOON,
    "feedback_id": "9",
    "sent_at": NOON,
    "rating": 1,
    "rated_at": NOON,
    "comment": "Slow.",
    "commented_at": NOON,
    "advice": "Shorten it.",
    "editable": True,
}
RENAMED = {
    "tries": 2,
    "counts_until": NOON + timedelta(days=1),
    "settle_at": NOON + timedelta(hours=2),
    "again_at": NOON + timedelta(hours=3),
    "ask_at": NOON + timedelta(hours=4),
}
UNMATCHED = {
    "feedback_id": "10",
    "account": "A1",
    "recipient_key": "k34",
    "external_id": "case_2",
    "metric": "nps",
    "created_at": NOON,
    "rating": 9,
    "rated_at": NOON,
    "comment": None,
    "commented_at": None,
    "received_at": NOON,
}
SENT_NOTICE = {"due_at": None, "tries": 3, "told_at": NOON, "channel": "C1", "ts": "2.1"}
ROWS_OF_0002: dict[str, list[dict[str, Any]]] = {
    "accounts": [
        {"id": "A1", "paused_at": NOON, "cause": "Disconnected", "advice": "Reconnect.", "told_at": NOON},
        {"id": "A2", "paused_at": NOON, "cause": "ClockOff", "advice": "Set it.", "told_at": None},
        {"id": "A3", "paused_at": None, "cause": "SenderLocked", "advice": "Unlock it.", "told_at": NOON},
    ],
    "surveys": [
        {"id": 1, "view_id": "V1", "reason": None, **SURVEY, **RENAMED},
        {"id": 2, "view_id": "V2", "reason": "Wait", **SURVEY, **RENAMED},
        {"id": 3, "view_id": "V3", "reason": "Disconnected", **SURVEY, **RENAMED},
        {"id": 4, "view_id": "V4", "reason": "ClockOff", **SURVEY, **RENAMED},
        {"id": 5, "view_id": "V5", "reason": "MessageTooLong", **SURVEY, **RENAMED},
    ],
    "attempts": [{"survey_id": 1, "number": 2, "instance": "a1b2", "started_at": NOON, "outcome": "sent"}],
    "notices": [
        {
            "survey_id": 1,
            "kind": kind,
            "due_at": None,
            "tries": 3,
            "told_at": NOON,
            "channel": "C1",
            "ts": "2.1",
        }
        for kind in ("sent", "answered", "low", "followed")
    ],
    "unmatched": [UNMATCHED],
    "feeds": [
        {"account": "A1", "asked_since": NOON, "asked": 17, "swept_until": NOON, "sweep_at": NOON},
    ],
    "follow_ups": [{"survey_id": 1, "team": "T1", "low_at": NOON, "taken_by": "U2", "taken_at": NOON}],
    "digests": [{"team": "T1", "week": "2026-05-04", "due_at": None, "tries": 1, "told_at": NOON}],
    "homes": [
        {"team": "T1", "person": "U2", "shows_results": True, "asks": '{"days":7}', "published_at": NOON}
    ],
    "audit": [
        {"id": 1, "at": NOON, "team": "T1", "person": "U2", "action": "home", "detail": "7 days, csat"}
    ],
}


@pytest.fixture(name="engine", params=KINDS)
def _engine(databases: Databases, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Return a database of revision 0002 with a row in every table."""
    engine = sqlalchemy.create_engine(databases.empty(request.param, tmp_path))
    with engine.begin() as connection:
        upgrade.migrate(connection, "0002")
        for name, rows in ROWS_OF_0002.items():
            connection.execute(reflect_tables(connection).tables[name].insert(), rows)
    yield engine
    engine.dispose()


def reflect_tables(connection: Connection) -> MetaData:
    """Return a database's tables, with the app's type for times."""
    reflected = MetaData()
    reflected.reflect(connection)
    for table in reflected.tables.values():
        for column in table.columns:
            if isinstance(column.type, sqlalchemy.DateTime):
                column.type = metadata.tables["surveys"].c.sent_at.type
    return reflected


def read_all(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    tables = (table for table in reflect_tables(connection).sorted_tables if table.name != "alembic_version")
    return {
        table.name: [
            dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
            for row in connection.execute(table.select().order_by(*table.primary_key))
        ]
        for table in tables
    }


def rename_columns(rows: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    return [{names.get(column, column): value for column, value in row.items()} for row in rows]


def test_migrating_from_0002_keeps_every_row(engine: Engine) -> None:
    with engine.begin() as connection:
        before = read_all(connection)
        upgrade.migrate(connection, "0003")
        after = read_all(connection)

    surveys = {
        "tries": "attempts",
        "counts_until": "quota_until",
        "settle_at": "reconcile_at",
        "again_at": "retry_at",
        "ask_at": "poll_at",
    }
    assert after == {
        "accounts": [
            {**row, "cause": cause, "alert_due_at": None}
            for row, cause in zip(
                rename_columns(before["accounts"], {"told_at": "alerted_at"}),
                ("InvalidCredentials", "ClockSkew", "SenderLocked"),
                strict=True,
            )
        ],
        "surveys": [
            {**row, "reason": reason}
            for row, reason in zip(
                rename_columns(before["surveys"], surveys),
                (None, "RetryLater", "InvalidCredentials", "ClockSkew", "MessageTooLong"),
                strict=True,
            )
        ],
        "attempts": before["attempts"],
        "outbox": [
            {**row, "kind": kind}
            for row, kind in zip(
                rename_columns(before["notices"], {"tries": "attempts", "told_at": "sent_at"}),
                ("answered", "follow_up", "low_rating", "sent"),
                strict=True,
            )
        ],
        "unmatched_responses": before["unmatched"],
        "feeds": rename_columns(
            before["feeds"], {"asked_since": "window_started_at", "asked": "requests_used"}
        ),
        "follow_ups": rename_columns(before["follow_ups"], {"low_at": "opened_at"}),
        "digests": rename_columns(before["digests"], {"tries": "attempts", "told_at": "sent_at"}),
        "homes": rename_columns(before["homes"], {"person": "user_id", "asks": "query"}),
        "audit": rename_columns(before["audit"], {"person": "viewer"}),
    }
    assert all(before.values())


def test_migrated_notifications_are_deleted_with_their_survey(engine: Engine) -> None:
    database = Database(engine.url.render_as_string(hide_password=False), GENEROUS)
    database.close()
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.exec_driver_sql("delete from surveys")
        assert read_all(connection)["outbox"] == []


def test_surveys_from_before_there_were_transports_are_cards(engine: Engine) -> None:
    with engine.connect() as connection:
        upgrade.migrate(connection)
    with engine.connect() as connection:
        surveys = read_all(connection)["surveys"]

    assert {row["transport"] for row in surveys} == {"x_card"}


def test_the_secret_of_the_links_is_kept(engine: Engine) -> None:
    with engine.connect() as connection:
        upgrade.migrate(connection, "0018")
    with engine.begin() as connection:
        secrets = reflect_tables(connection).tables["secrets"]
        connection.execute(
            secrets.insert(), [{"name": name, "value": name} for name in ("rating links", "x")]
        )
    with engine.connect() as connection:
        upgrade.migrate(connection, "0019")
        after = read_all(connection)

    [kept] = after["rating_link_secrets"]
    assert (kept["value"], kept["since"].timestamp()) == ("rating links", 0)
    assert [row["name"] for row in after["secrets"]] == ["x"]


def test_a_migrated_database_can_be_opened_again(tmp_path: Path) -> None:
    for _ in range(2):
        Database(f"sqlite:///{tmp_path / 'csat.db'}", GENEROUS).close()


@pytest.mark.parametrize("kind", KINDS)
def test_concurrent_instances_migrate_once(databases: Databases, tmp_path: Path, kind: str) -> None:
    url = databases.empty(kind, tmp_path)
    with ThreadPoolExecutor(10) as executor:
        for database in executor.map(partial(Database, timeouts=GENEROUS), [url] * 10):
            database.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_database_is_used_as_long_as_it_says_that_this_version_works_with_it(
    databases: Databases, tmp_path: Path, kind: str
) -> None:
    Database(url := databases.empty(kind, tmp_path), GENEROUS).close()
    change(url, "update alembic_version set version_num = '9999'")
    Database(url, GENEROUS).close()
    change(url, "update compatibility set oldest_revision = '9998'")

    with pytest.raises(SchemaTooNew, match="has revision 9999"):
        Database(url, GENEROUS)


def test_a_database_of_an_unknown_revision_is_rejected(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'csat.db'}"
    change(url, "create table alembic_version (version_num text)", "insert into alembic_version values ('x')")

    with pytest.raises(SchemaTooNew):
        Database(url, GENEROUS)


def test_no_table_is_added_to_the_file_of_another_program(tmp_path: Path) -> None:
    change(url := f"sqlite:///{tmp_path / 'notes.db'}", "create table notes (note text)")

    with pytest.raises(NotOurs, match=r"a table named notes\. Set DATABASE_URL to another file\."):
        Database(url, GENEROUS)
    assert sqlalchemy.inspect(sqlalchemy.create_engine(url)).get_table_names() == ["notes"]


def test_only_a_migration_that_says_so_keeps_older_versions_working(tmp_path: Path) -> None:
    oldest = {}
    for name, declaration in (("silent", ""), ("compatible", "is_backward_compatible = True")):
        folder = tmp_path / name
        shutil.copytree(MIGRATIONS, folder)
        (folder / "versions" / "9999_next.py").write_text(
            f"revision, down_revision = '9999', '{upgrade.HEAD_REVISION}'\n{declaration}\n"
            "def upgrade(): pass\n"
        )
        engine = sqlalchemy.create_engine(f"sqlite:///{folder / 'csat.db'}")
        with engine.begin() as connection:
            upgrade.migrate(connection, folder=folder)
            oldest[name] = connection.execute(sqlalchemy.select(compatibility)).scalar()
        engine.dispose()

    assert oldest["silent"] == "9999"
    assert oldest["compatible"] in upgrade.known_revisions() - {"9999"}


def change(url: str, *statements: str) -> None:
    """Execute statements in a database."""
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture(name="old_url")
def _old_url(databases: Databases, tmp_path: Path) -> str:
    """Return a PostgreSQL database of revision 0002 with surveys."""
    engine = sqlalchemy.create_engine(url := databases.empty("postgresql", tmp_path))
    with engine.begin() as connection:
        upgrade.migrate(connection, "0002")
        connection.execute(reflect_tables(connection).tables["surveys"].insert(), ROWS_OF_0002["surveys"])
    engine.dispose()
    return url


def test_a_migration_may_take_longer_than_a_statement_may(old_url: str) -> None:
    change(
        old_url,
        "create function sleep() returns trigger as "
        "'begin perform pg_sleep(1); return new; end' language plpgsql",
        "create trigger slow before update on surveys for each statement execute function sleep()",
    )
    Database(old_url, replace(GENEROUS, database_read=0.5, postgresql_lock=0.5)).close()


def test_an_instance_that_starts_during_a_migration_waits_and_says_so(
    old_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = sqlalchemy.create_engine(old_url)
    with ThreadPoolExecutor(2) as instances, engine.begin() as reader:
        reader.exec_driver_sql("select count(*) from surveys")  # the migration waits for the end of this
        opening = [instances.submit(Database, old_url, Timeouts()) for _ in range(2)]
        wait_until(lambda: "Waiting for another instance" in caplog.text)
        is_done = [instance.done() for instance in opening]
        reader.commit()
        for instance in opening:
            instance.result(WAIT_SECONDS).close()
    engine.dispose()

    assert is_done == [False, False]


def test_other_instances_write_while_a_migration_creates_an_index(old_url: str) -> None:
    engine = sqlalchemy.create_engine(old_url)
    with engine.begin() as connection:
        upgrade.migrate(connection, "0006")
        surveys = reflect_tables(connection).tables["surveys"]
    row = {**SURVEY, "attempts": 1, "quota_until": NOON}
    with ThreadPoolExecutor(1) as instances, engine.begin() as writer:
        writer.execute(surveys.insert(), {**row, "id": 98, "view_id": "V98"})  # an index waits for its end
        opening = instances.submit(Database, old_url, Timeouts())
        wait_until(lambda: count_unfinished_indexes(engine))
        with engine.begin() as other:
            other.exec_driver_sql("set local lock_timeout = '20s'")
            other.execute(surveys.insert(), {**row, "id": 99, "view_id": "V99"})
        is_done = opening.done()
        writer.commit()
        opening.result(WAIT_SECONDS).close()
    with engine.connect() as connection:
        ids = connection.execute(sqlalchemy.select(surveys.c.id).where(surveys.c.quota_until == NOON))
        assert {98, 99} <= set(ids.scalars())
    assert not is_done
    assert not count_unfinished_indexes(engine)
    engine.dispose()


def test_an_index_whose_creation_was_interrupted_is_created_again(old_url: str) -> None:
    engine = sqlalchemy.create_engine(old_url)
    with engine.begin() as connection:
        upgrade.migrate(connection, "0006")
        connection.exec_driver_sql(
            "create index ix_surveys_poll on surveys (poll_at) where poll_at is not null"
        )
        connection.exec_driver_sql(
            "update pg_index set indisvalid = false where indexrelid = 'ix_surveys_poll'::regclass"
        )
    assert count_unfinished_indexes(engine) == 1
    Database(old_url, Timeouts()).close()

    assert count_unfinished_indexes(engine) == 0
    engine.dispose()


def count_unfinished_indexes(engine: Engine) -> int:
    with engine.connect() as connection:
        unfinished = "select count(*) from pg_index where not indisvalid"
        return int(connection.exec_driver_sql(unfinished).scalar() or 0)


def wait_until(predicate: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not predicate():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite:////nowhere/at/all/csat.db", "oracle://x", "sqlite:///{folder}"]
)
def test_a_database_that_can_not_be_opened_raises_a_database_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(DatabaseError):
        Database(url.format(folder=tmp_path), GENEROUS)


def test_the_revisions_are_those_of_the_migrations() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))

    assert scripts.get_current_head() == upgrade.HEAD_REVISION
    assert {script.revision for script in scripts.walk_revisions()} == upgrade.known_revisions()


@pytest.mark.parametrize("kind", KINDS)
def test_the_migrations_create_the_schema_of_the_metadata(
    databases: Databases, tmp_path: Path, kind: str
) -> None:
    Database(migrated_url := databases.empty(kind, tmp_path), GENEROUS).close()
    (created_folder := tmp_path / "created").mkdir()
    migrated = sqlalchemy.create_engine(migrated_url)
    created = sqlalchemy.create_engine(databases.empty(kind, created_folder))
    metadata.create_all(created)
    with migrated.connect() as connection, created.connect() as expected:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert definitions(connection) == definitions(expected)
    migrated.dispose()
    created.dispose()


def definitions(connection: Connection) -> set[tuple[str, ...]]:
    """Return the definitions of the indexes, and on PostgreSQL the names of the constraints."""
    if connection.dialect.name == "sqlite":
        indexes = "select name, sql from sqlite_master where type = 'index' and sql <> ''"
        return set(map(tuple, connection.exec_driver_sql(indexes)))
    indexes = "select indexname, indexdef from pg_indexes where schemaname = 'public'"
    constraints = "select conname from pg_constraint where contype in ('p', 'f', 'u') and conname !~ '^pg_'"
    rows = [*connection.exec_driver_sql(indexes), *connection.exec_driver_sql(constraints)]
    return {tuple(row) for row in rows if not row[0].startswith("alembic_version")}

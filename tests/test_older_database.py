"""Only the start of the app upgrades a database, and says so; commands leave it to the version that runs."""

import logging
import socket
from pathlib import Path

import pytest

from csat.db.database import Database
from csat.db.migrations.upgrade import HEAD_REVISION
from tests.app_process import fake_environment, run_command, run_process
from tests.databases import KINDS, SLOW_KINDS, Databases, migrate, read_schema
from tests.timeouts import GENEROUS

COMMANDS = (
    ("prune", "--older-than", "400d", "--dry-run"),
    ("forget", "@mira_k", "--yes"),
    ("export", "--output", "all.csv"),
    ("resume",),
    ("rotate-link-secret",),
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
async def test_a_command_refuses_an_older_database_and_leaves_it_as_it_is(
    databases: Databases, tmp_path: Path, kind: str, command: tuple[str, ...]
) -> None:
    migrate(url := databases.empty(kind, tmp_path), "0009")
    before = read_schema(url)
    async with fake_environment(tmp_path) as (_, _, environment):
        code, printed = await run_command(tmp_path, {**environment, "DATABASE_URL": url}, *command)

    assert code == 1
    assert (
        "the database is of an older version (revision 0009): start this version of the app first, which "
        "upgrades it, or use the older one."
    ) in printed
    assert read_schema(url) == before


async def test_a_command_creates_no_tables_in_an_empty_database(databases: Databases, tmp_path: Path) -> None:
    url = databases.empty("postgresql", tmp_path)
    async with fake_environment(tmp_path) as (_, _, environment):
        code, printed = await run_command(tmp_path, {**environment, "DATABASE_URL": url}, "resume")

    assert code == 1
    assert "the database has no tables yet: start the app first, which creates them." in printed
    assert read_schema(url) == ([], None)


@pytest.mark.parametrize("kind", SLOW_KINDS)
async def test_an_app_that_can_not_start_as_its_port_is_in_use_leaves_an_older_database_as_it_is(
    databases: Databases, tmp_path: Path, kind: str
) -> None:
    migrate(url := databases.empty(kind, tmp_path), "0009")
    before = read_schema(url)
    async with fake_environment(tmp_path) as (_, _, environment):
        with socket.create_server(("127.0.0.1", 0)) as older_app:
            port = str(older_app.getsockname()[1])
            code, _ = await run_process(tmp_path, {**environment, "DATABASE_URL": url, "PORT": port})

    assert (code, read_schema(url)) == (1, before)


@pytest.mark.parametrize("kind", KINDS)
def test_an_upgrade_at_the_start_is_logged(
    databases: Databases, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    migrate(url := databases.empty(kind, tmp_path), "0009")
    for _ in range(2):
        Database(url, GENEROUS).close()

    assert caplog.messages.count(f"Migrating the database from revision 0009 to {HEAD_REVISION}") == 1

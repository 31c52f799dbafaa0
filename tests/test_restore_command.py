"""`python app.py restore`: a backup takes the place of the database, and nothing is sent twice."""

import contextlib
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy

from cli.backup import back_up
from cli.restore import FIRST_EXPORT, TO_REDO, TO_ROTATE
from csat.db import opt_outs, tables
from csat.db.migrations import upgrade
from csat.surveys.opt_outs import How
from sandbox.slack import fixtures
from sandbox.x import Endpoint, Fault
from tests.app_process import fake_environment, run_command
from tests.databases import KINDS, Databases, migrate, read_schema
from tests.rating_page_kit import link_settings
from tests.world import World, idle_world, is_app_idle, running_app


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    """Slack and X; the app starts with `running_app`."""
    async with idle_world(tmp_path) as world:
        yield world


@pytest.fixture(name="backup")
def _backup(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


async def restore(world: World, backup: Path, *options: str) -> tuple[int, str]:
    world.engine.dispose()
    async with fake_environment(world.database_file.parent) as (_, _, environment):
        environment["DATABASE_URL"] = world.database_url
        return await run_command(world.database_file.parent, environment, "restore", str(backup), *options)


def write_file(file: Path, contents: bytes) -> None:
    file.write_bytes(contents)


def list_files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def back_up_while_a_survey_waits(world: World, backup: Path) -> None:
    """Back up while a survey waits, and let X get it before the app stops."""
    async with running_app(world):
        world.x.fail(Fault.OVER_CAPACITY)
        await world.submit_survey()
        await world.wait_until(
            lambda: world.rows(tables.attempts.c.ended_at, where=tables.attempts.c.outcome == "accepted")
        )
        back_up(world.database_file, backup)
        world.x.recover()
        await world.advance(minutes=2)
        await world.wait_for_feedback()
        await world.wait_until(world.is_outbox_empty)


async def test_a_backup_takes_the_place_of_a_missing_database(world: World, backup: Path) -> None:
    async with running_app(world):
        await world.send_survey()
        back_up(world.database_file, backup)
    world.engine.dispose()
    world.database_file.unlink()
    code, printed = await restore(world, backup)

    assert (code, printed) == (0, f"Restored {world.database_file}: 1 survey and 0 opt-outs. {TO_REDO}\n")
    assert stat.S_IMODE(world.database_file.stat().st_mode) == 0o600
    assert world.states() == ["sent"]
    async with running_app(world):
        await world.send_survey("/csat @sofie_l")


async def test_a_backup_with_the_secret_of_links_is_restored_with_a_word_on_when_to_rotate_it(
    tmp_path: Path, backup: Path
) -> None:
    async with idle_world(tmp_path, **link_settings()) as world:
        async with running_app(world):
            back_up(world.database_file, backup)
        code, printed = await restore(world, backup, "--replace")

    assert code == 0
    assert printed.endswith(f"{TO_REDO}\n{TO_ROTATE}\n")


async def test_without_the_folder_of_the_database_nothing_is_restored(world: World, tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        environment["DATABASE_URL"] = f"sqlite:///{tmp_path}/nowhere/csat.db"
        result = await run_command(tmp_path, environment, "restore", str(world.database_file))

    assert result == (
        1,
        f"Not restored: there is no folder {tmp_path}/nowhere. Create it, or check DATABASE_URL.\n",
    )


async def test_what_waited_in_the_backup_is_not_sent_again_but_its_requester_is_asked(
    world: World, backup: Path
) -> None:
    await back_up_while_a_survey_waits(world, backup)
    code, printed = await restore(world, backup, "--replace")

    assert code == 0
    assert printed == (
        f"Restored {world.database_file}: 1 survey and 0 opt-outs. {TO_REDO}\n"
        "Not settled when the backup was made: 1 survey, which may have been sent since. "
        "The app sends none of them again by itself: it asks their requesters whether they arrived.\n"
    )
    async with running_app(world):
        await world.advance(hours=30)
        asked = await world.wait_for_dm("was restored from a backup")
        await world.advance(hours=30)
        assert (len(world.x.feedbacks), world.states()) == (1, ["uncertain"])
        await world.workspace.click(fixtures.ADA, "survey_arrived", channel=asked.channel, ts=asked.ts)
        await world.wait_until(lambda: world.states() == ["sent"])


async def test_a_survey_that_waited_for_a_look_up_can_be_sent_again_by_its_requester(
    world: World, backup: Path
) -> None:
    async with running_app(world):
        world.x.fail(Fault.OVER_CAPACITY, Endpoint.LOOKUP)
        await world.submit_survey()
        back_up(world.database_file, backup)
    world.x.recover()
    await restore(world, backup, "--replace")
    async with running_app(world):
        asked = await world.wait_for_dm("was restored from a backup")
        assert world.x.feedbacks == []
        await world.workspace.click(fixtures.ADA, "send_survey_again", channel=asked.channel, ts=asked.ts)
        await world.wait_for_feedback()


async def test_x_s_records_do_not_settle_an_uncertain_survey_that_may_have_been_sent_again(
    world: World, backup: Path
) -> None:
    async with running_app(world):
        world.x.fail(Fault.BAD_GATEWAY, times=1)
        await world.submit_survey()
        prompt = await world.wait_for_dm("may not have arrived")
        back_up(world.database_file, backup)
        await world.workspace.click(fixtures.ADA, "send_survey_again", channel=prompt.channel, ts=prompt.ts)
        await world.wait_for_feedback()
    await restore(world, backup, "--replace")
    async with running_app(world):
        await world.advance(hours=30)
        await world.wait_for_dm("was restored from a backup")
        await world.advance(hours=30)
        await world.wait_until(is_app_idle)

    assert (len(world.x.feedbacks), world.states()) == (1, ["uncertain"])


async def test_an_earlier_question_loses_its_buttons(world: World, backup: Path) -> None:
    async with running_app(world):
        world.x.fail(Fault.BAD_GATEWAY, times=1)
        await world.submit_survey()
        prompt = await world.wait_for_dm("Leave it")
        await world.wait_until(world.is_outbox_empty)
        back_up(world.database_file, backup)
    await restore(world, backup, "--replace")
    async with running_app(world):
        await world.wait_for_dm("was restored from a backup")
        await world.wait_until(lambda: world.find_dm("Leave it") is None)

    assert prompt.ts


async def test_a_customer_who_may_have_got_the_survey_is_not_asked_by_another_one(
    world: World, backup: Path
) -> None:
    await back_up_while_a_survey_waits(world, backup)
    await restore(world, backup, "--replace")
    async with running_app(world):
        await world.workspace.run_command(fixtures.BEN, fixtures.SUPPORT, "/csat status @mira_k")
        await world.wait_for_message("may not have arrived", viewer=fixtures.BEN)


async def test_nothing_is_restored_while_the_app_runs(world: World, backup: Path) -> None:
    async with running_app(world):
        await world.send_survey()
        back_up(world.database_file, backup)
        code, printed = await restore(world, backup, "--replace")
        await world.send_survey("/csat @sofie_l")

    assert (code, printed) == (1, f"Not restored: {world.database_file} is in use: stop the app first.\n")


async def test_surveys_are_only_lost_if_the_operator_says_so(world: World, backup: Path) -> None:
    async with running_app(world):
        back_up(world.database_file, backup)
        await world.send_survey()
    code, printed = await restore(world, backup)

    assert (code, printed) == (
        1,
        f"Not restored: {world.database_file} has 1 survey and 0 opt-outs. {FIRST_EXPORT}\n",
    )
    assert world.states() == ["sent"]
    assert (await restore(world, backup, "--replace"))[0] == 0
    assert world.states() == []


async def test_opt_outs_are_only_lost_if_the_operator_says_so(world: World, backup: Path) -> None:
    async with running_app(world):
        back_up(world.database_file, backup)
        with world.engine.begin() as connection:
            for key in ("one customer's", "another one's"):
                opt_outs.record(connection, key, how=How.FILE, team="", by="", reason="", now=world.clock())
    code, printed = await restore(world, backup)

    assert (code, "has 0 surveys and 2 opt-outs. Add --replace" in printed) == (1, True)
    assert len(world.rows(tables.opt_outs)) == 2
    assert (await restore(world, backup, "--replace"))[0] == 0
    assert world.rows(tables.opt_outs) == []


@pytest.mark.parametrize("contents", [b"", b"another file", b"SQLite format 3\0" + bytes(5000)])
async def test_a_file_that_is_no_backup_is_refused(world: World, backup: Path, contents: bytes) -> None:
    async with running_app(world):
        await world.send_survey()
    write_file(backup, contents)
    code, printed = await restore(world, backup, "--replace")

    assert code == 1
    assert printed.startswith(f"Not restored: {backup}: ")
    assert world.states() == ["sent"]


async def test_a_backup_that_does_not_exist_is_called_that(world: World, tmp_path: Path) -> None:
    missing = tmp_path / "mistyped.db"
    assert await restore(world, missing) == (1, f"Not restored: there is no file {missing}.\n")
    assert not missing.exists()


async def test_the_database_is_no_backup_of_itself(world: World) -> None:
    async with running_app(world):
        await world.send_survey()

    assert await restore(world, world.database_file, "--replace") == (
        1,
        f"Not restored: {world.database_file} is the database itself. Name a file that `backup` wrote.\n",
    )
    assert world.states() == ["sent"]


async def test_a_database_of_another_program_is_no_backup(world: World, backup: Path) -> None:
    with contextlib.closing(sqlite3.connect(backup)) as connection:
        connection.execute("CREATE TABLE notes (text)")

    assert await restore(world, backup) == (
        1,
        f"Not restored: {backup}: it is empty, or another program's. Name a file that `backup` wrote.\n",
    )


async def test_a_damaged_database_can_be_replaced(world: World, backup: Path) -> None:
    async with running_app(world):
        await world.send_survey()
        back_up(world.database_file, backup)
    world.engine.dispose()
    write_file(world.database_file, b"not a database at all")
    code, printed = await restore(world, backup)

    assert (code, "can't be read" in printed) == (1, True)
    assert (await restore(world, backup, "--replace"))[0] == 0
    assert world.states() == ["sent"]


async def test_a_backup_of_an_older_version_is_upgraded(world: World, backup: Path) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{backup}")
    with engine.begin() as connection:
        upgrade.migrate(connection, "0009")
    engine.dispose()
    assert (await restore(world, backup))[0] == 0
    with sqlite3.connect(world.database_file) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (
            upgrade.HEAD_REVISION,
        )


async def test_a_backup_of_a_newer_version_is_refused(world: World, backup: Path) -> None:
    async with running_app(world):
        back_up(world.database_file, backup)
    with sqlite3.connect(backup) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE compatibility SET oldest_revision = '9999'")
    code, printed = await restore(world, backup)

    assert (code, "Update the app." in printed) == (1, True)


async def test_a_restore_that_fails_leaves_no_empty_database(
    world: World, backup: Path, tmp_path: Path
) -> None:
    async with running_app(world):
        back_up(world.database_file, backup)
    world.engine.dispose()
    world.database_file.unlink()
    with sqlite3.connect(backup) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE compatibility SET oldest_revision = '9999'")
    code, _ = await restore(world, backup)

    assert (code, list_files(tmp_path)) == (1, ["backup.db"])


async def test_a_restore_leaves_no_other_file(world: World, backup: Path, tmp_path: Path) -> None:
    async with running_app(world):
        await world.send_survey()
        back_up(world.database_file, backup)
    world.engine.dispose()
    shutil.copy(backup, tmp_path / "csat.db-wal")
    await restore(world, backup, "--replace")

    assert list_files(tmp_path) == ["backup.db", "csat.db"]


async def test_postgresql_has_its_own_way(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        environment["DATABASE_URL"] = "postgresql+psycopg://localhost/csat"
        code, printed = await run_command(tmp_path, environment, "restore", "backup.db")

    assert (code, printed) == (
        1,
        "Not restored: DATABASE_URL is of PostgreSQL: use pg_dump and pg_restore, then after-restore.\n",
    )


async def run_after_restore(folder: Path, url: str) -> tuple[int, str]:
    async with fake_environment(folder) as (_, _, environment):
        environment["DATABASE_URL"] = url
        return await run_command(folder, environment, "after-restore")


@pytest.mark.parametrize("kind", KINDS)
async def test_what_waited_in_a_database_that_was_restored_by_other_means_is_not_sent_again(
    databases: Databases, tmp_path: Path, kind: str
) -> None:
    async with idle_world(tmp_path, database_url=databases.make(kind, tmp_path)) as world:
        async with running_app(world):
            world.x.fail(Fault.OVER_CAPACITY)
            await world.submit_survey()
            await world.wait_until(lambda: world.rows(tables.attempts.c.ended_at))
        world.x.recover()
        world.engine.dispose()
        code, printed = await run_after_restore(tmp_path, world.database_url)
        async with running_app(world):
            await world.advance(hours=30)
            await world.wait_for_dm("was restored from a backup")
            await world.wait_until(is_app_idle)

        assert (world.x.feedbacks, world.states()) == ([], ["uncertain"])
    assert code == 0
    assert printed.startswith(f"The restored database is ready for the app to start. {TO_REDO}\n")
    assert "Not settled when the backup was made: 1 survey, which may have been sent since." in printed


async def test_a_database_that_was_restored_by_other_means_is_upgraded(
    databases: Databases, tmp_path: Path
) -> None:
    url = databases.empty("postgresql", tmp_path)
    migrate(url, "0012")
    code, printed = await run_after_restore(tmp_path, url)

    assert (code, printed) == (0, f"The restored database is ready for the app to start. {TO_REDO}\n")
    assert read_schema(url)[1] == upgrade.HEAD_REVISION


@pytest.mark.parametrize("kind", KINDS)
async def test_a_database_that_was_not_restored_yet_is_not_created(
    databases: Databases, tmp_path: Path, kind: str
) -> None:
    url = databases.empty(kind, tmp_path)
    code, printed = await run_after_restore(tmp_path, url)

    assert (code, printed) == (
        1,
        "Nothing was changed: the database has no tables. Restore it first, or check DATABASE_URL.\n",
    )
    assert not (tmp_path / "csat.db").exists()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_database_is_not_taken_for_a_restored_one_while_the_app_runs(
    databases: Databases, tmp_path: Path, kind: str
) -> None:
    async with idle_world(tmp_path, database_url=databases.make(kind, tmp_path)) as world:
        async with running_app(world):
            world.x.fail(Fault.OVER_CAPACITY)
            await world.submit_survey()
            code, printed = await run_after_restore(tmp_path, world.database_url)

        assert world.states() == ["accepted"]
    assert code == 1
    assert printed.startswith("Nothing was changed: ")
    assert printed.endswith(" is in use: stop the app first.\n")


async def test_a_dump_that_was_restored_over_the_tables_of_a_newer_version_is_told(
    databases: Databases, tmp_path: Path
) -> None:
    url = databases.make("postgresql", tmp_path)
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = '0012'"))
    engine.dispose()
    code, printed = await run_after_restore(tmp_path, url)

    assert code == 1
    assert printed.endswith(
        "already exists. It has tables of a newer version: restore the dump into an empty database.\n"
    )

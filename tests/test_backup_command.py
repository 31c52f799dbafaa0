"""`python app.py backup`: a copy of the SQLite database that can be started from."""

import contextlib
import resource
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.backup import BackupError
from cli.backup import back_up as back_up_file
from csat.db.database import Database
from tests.app_process import fake_environment, run_command
from tests.databases import sqlite_in
from tests.timeouts import GENEROUS
from tests.world import World


@contextlib.contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Let no file grow beyond this number of bytes, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def back_up(world: World, target: Path) -> tuple[int, str]:
    """Back the database of a running app up."""
    async with fake_environment(world.database_file.parent) as (_, _, environment):
        environment["DATABASE_URL"] = world.database_url
        return await run_command(world.database_file.parent, environment, "backup", str(target))


async def test_a_backup_of_a_running_app_holds_its_surveys_and_only_its_owner_can_read_it(
    world: World, tmp_path: Path
) -> None:
    await world.send_survey()
    target = tmp_path / "backup.db"
    code, printed = await back_up(world, target)

    assert (code, printed) == (0, f"Wrote {target}: 1 survey and 0 opt-outs. Only you can read it.\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with contextlib.closing(Database(f"sqlite:///{target}", GENEROUS)) as database:
        await database.check_writes()


async def test_a_file_that_exists_is_left_as_it_is(world: World, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("another file", encoding="utf-8")
    code, printed = await back_up(world, target)

    assert (code, printed) == (
        1,
        f"No backup: {target} can't be written: there is one already, so choose another name.\n",
    )
    assert target.read_text(encoding="utf-8") == "another file"


async def test_a_backup_that_fails_leaves_no_file(world: World, tmp_path: Path) -> None:
    world.database_file.rename(world.database_file.with_suffix(".away"))
    code, printed = await back_up(world, tmp_path / "backup.db")
    world.database_file.with_suffix(".away").rename(world.database_file)

    assert code == 1
    assert printed.startswith("No backup: ")
    assert not (tmp_path / "backup.db").exists()


def test_what_an_interrupted_backup_has_left_is_replaced_and_has_no_name_of_a_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(sqlite_in(tmp_path), GENEROUS).close()
    target = tmp_path / "backup.db"
    with monkeypatch.context() as patch:
        patch.setattr("cli.backup._delete", lambda _: None)  # as if the process was killed
        with limited_file_size(40_000), pytest.raises(BackupError):
            back_up_file(tmp_path / "csat.db", target)
    left = {file.name for file in tmp_path.iterdir()} - {"csat.db"}
    assert "backup.db.part" in left
    assert target.name not in left

    back_up_file(tmp_path / "csat.db", target)
    assert {file.name for file in tmp_path.iterdir()} == {"csat.db", target.name}


def test_a_full_disk_is_that_of_the_backup(tmp_path: Path) -> None:
    Database(sqlite_in(tmp_path), GENEROUS).close()
    target = tmp_path / "backup.db"

    with limited_file_size(40_000), pytest.raises(BackupError) as error:
        back_up_file(tmp_path / "csat.db", target)

    assert str(error.value) == f"{target} can't be written: disk I/O error. Free space on its disk."
    assert not target.exists()


async def test_another_program_s_database_is_not_backed_up(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "csat.db")) as connection:
        connection.execute("CREATE TABLE notes (text)")
    async with fake_environment(tmp_path) as (_, _, environment):
        result = await run_command(tmp_path, environment, "backup", "backup.db")

    assert result == (
        1,
        f"No backup: {tmp_path}/csat.db: it is empty, or another program's. Check DATABASE_URL.\n",
    )


async def test_who_can_not_open_the_database_is_told_as_whom_to_run_the_command(tmp_path: Path) -> None:
    Database(sqlite_in(tmp_path), GENEROUS).close()
    (tmp_path / "csat.db-wal").mkdir()
    async with fake_environment(tmp_path) as (_, _, environment):
        code, printed = await run_command(tmp_path, environment, "backup", "backup.db")

    assert code == 1
    assert printed == (
        f"No backup: {tmp_path}/csat.db: unable to open database file. Run this command as the user of the "
        f"app, who can write to {tmp_path}.\n"
    )


async def test_postgresql_has_its_own_way(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        environment["DATABASE_URL"] = "postgresql+psycopg://localhost/csat"
        code, printed = await run_command(tmp_path, environment, "backup", "backup.db")

    assert (code, printed) == (
        1,
        "No backup: DATABASE_URL is of PostgreSQL: use pg_dump and pg_restore, then after-restore.\n",
    )

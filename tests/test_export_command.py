"""`/csat export`, `app.py export` and `app.py report`: their files, permissions and error messages."""

import contextlib
import csv
import hashlib
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from blocks.report_summary import own_left_out, summary_text
from bootstrap.lifespan import lifespan
from csat.clock import utc_now
from csat.db import tables
from csat.db.database import Database
from csat.english_dates import format_day
from csat.reporting.export_files import write_export
from csat.reporting.export_rows import Selection
from csat.reporting.periods import last_days
from csat.reporting.report_builder import fetch_report
from csat.reporting.report_model import Filters
from csat.surveys.questions import Metric
from demo.seed import insert_past
from sandbox.slack import File, fixtures
from tests.app_process import fake_environment, run_command
from tests.databases import SLOW_KINDS, Databases
from tests.factories import NOON, SAMPLE_TEAM, insert_rated, no_names
from tests.timeouts import GENEROUS
from tests.world import World, is_app_idle, running_world


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with Cleo as supervisor and three months of sample data."""
    url = databases.make(request.param, tmp_path)
    async with running_world(
        tmp_path, database_url=url, csat_supervisors=frozenset({fixtures.CLEO})
    ) as world:
        await insert_sample_data(url)
        yield world


@pytest.fixture(name="supervised")
async def _supervised(tmp_path: Path) -> AsyncIterator[World]:
    """The app whose supervisors are a user group, with a few surveys."""
    async with running_world(tmp_path, csat_supervisors=fixtures.AGENTS) as world:
        world.insert_rated([5, 4, 1])
        yield world


async def insert_sample_data(url: str) -> None:
    database = Database(url, GENEROUS)
    await database.run(insert_past, SAMPLE_TEAM, utc_now())
    database.close()


async def test_a_supervisor_gets_the_file_and_its_manifest_as_a_direct_message(world: World) -> None:
    await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export 30d")
    message = await world.wait_for_dm("of your own surveys left out)", fixtures.CLEO)
    await world.wait_until(lambda: all(file.is_complete for file in world.workspace.files.values()))

    csv_file, manifest = world.workspace.files.values()
    assert csv_file.content
    assert manifest.content
    rows = list(csv.DictReader(io.StringIO(csv_file.content.decode("utf-8-sig"), newline="")))
    assert {(row["requester"], row["requester_name"]) for row in rows} == {(fixtures.ADA, "Ada Okafor")}
    assert {(row["channel"], row["channel_name"]) for row in rows} == {(fixtures.SUPPORT, "support")}
    assert {row["low_closed_by_name"] for row in rows if row["low_closed_by"]} == {"Cleo Marchetti"}
    assert "are empty" not in message.text
    assert f"{len(rows):,} surveys" in message.text
    described = json.loads(manifest.content)
    tests = sum(row["test"] == "yes" for row in rows)
    assert described["tests"] == tests
    assert described["sha256"] == hashlib.sha256(csv_file.content).hexdigest()
    own = world.rows(tables.surveys.c.id, where=tables.surveys.c.requester == fixtures.CLEO)
    assert 0 < described["left_out"] < len(own)
    of_them = f"({tests} of them tests, which reports leave out; " if tests else "("
    assert f"{of_them}{described['left_out']} of your own surveys left out)" in message.text
    assert world.rows(tables.audit.c.viewer, tables.audit.c.action) == [(fixtures.CLEO, "export")]


async def test_a_replayed_command_sends_no_second_file_even_after_a_restart(world: World) -> None:
    await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export 30d")
    command = world.workspace.deliveries[-1]
    await world.workspace.redeliver(command)
    await world.wait_for_dm("Your export", fixtures.CLEO)
    async with lifespan(world.settings, world.clock):
        for _ in range(4):  # to either instance
            await world.workspace.redeliver(command)
        await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export 7d")
        await world.wait_until(lambda: len(complete_files(world)) >= 4)
        await world.wait_until(is_app_idle)

    assert len(world.workspace.files) == 4
    assert world.count_messages("Preparing the export", viewer=fixtures.CLEO) == 2
    assert world.rows(tables.audit.c.viewer, tables.audit.c.action) == [(fixtures.CLEO, "export")] * 2


def complete_files(world: World) -> list[File]:
    return [file for file in world.workspace.files.values() if file.is_complete]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            "missing_scope",
            ": for those of private channels, an admin of this app can add the scope groups:read.",
        ),
        ("ratelimited", ": there are too many requests at the moment (ratelimited). Export again later."),
        ("503", ": Slack has a problem at the moment (HTTP 503). Export again later."),
        (
            "token_revoked",
            ": the token was revoked (token_revoked). Export again once an admin of this app has fixed SLACK",
        ),
    ],
)
async def test_an_export_says_how_many_names_slack_did_not_tell_and_why(
    supervised: World, error: str, reason: str
) -> None:
    supervised.workspace.faults.fail("conversations.info", error)
    await supervised.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export")

    await supervised.wait_for_dm(f"1 name is missing{reason}", fixtures.CLEO)


async def test_an_export_says_how_many_of_its_surveys_are_tests(supervised: World) -> None:
    supervised.insert_rated([5], test=True)
    await supervised.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export")

    message = await supervised.wait_for_dm("Your export", fixtures.CLEO)
    assert ": 4 surveys (1 of them a test, which reports leave out). " in message.text


async def test_agents_may_not_export(world: World) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat export 30d")
    await world.wait_for_message("Exports are for supervisors")

    assert world.workspace.files == {}
    assert world.rows(tables.audit) == []


async def test_an_invalid_period_is_answered_with_an_example(world: World) -> None:
    await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export soon")

    await world.wait_for_message("For example: /csat export 90d", viewer=fixtures.CLEO)


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"])
@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("missing_scope", "Ask an admin of this app to add the scope files:write"),
        ("file_uploads_disabled", "Ask a workspace admin to allow them, or"),
        (
            "token_expired",
            "There is no export: the token has expired (token_expired). Ask an admin of this app to fix",
        ),
        ("storage_limit_reached", "didn't accept the file (storage_limit_reached), so there is no export."),
        ("503", "too busy to confirm that it took the file (HTTP 503)"),
    ],
)
async def test_a_failed_upload_is_reported_to_the_supervisor_and_leaves_no_message(
    supervised: World, method: str, error: str, advice: str
) -> None:
    if method == "upload":  # its response has a status, but no error code
        error, advice = "400", "Slack didn't accept the file (upload_refused)"
    supervised.workspace.faults.fail(method, error)
    await supervised.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export")

    await supervised.wait_for_message(advice, viewer=fixtures.CLEO)
    assert supervised.find_dm("Your export", fixtures.CLEO) is None


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "upload"])
async def test_supervisors_who_are_removed_while_an_export_is_made_do_not_get_it(
    supervised: World, method: str
) -> None:
    workspace = supervised.workspace
    with workspace.faults.hold(method) as hold:
        await workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export")
        await hold.arrived.wait()
        await workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.BEN])
    await supervised.wait_for_message("you stopped being a supervisor", viewer=fixtures.CLEO)

    assert not any(file.is_complete for file in workspace.files.values())
    assert supervised.find_dm("Your export", fixtures.CLEO) is None


async def test_no_export_is_sent_while_slack_can_not_confirm_the_supervisor(supervised: World) -> None:
    workspace = supervised.workspace
    with workspace.faults.hold("upload", times=1) as hold:
        await workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export")
        await hold.arrived.wait()
        workspace.faults.fail("usergroups.users.list", "ratelimited", times=1_000)
        supervised.clock.advance(minutes=6)
    await supervised.wait_for_dm("Slack is busy", fixtures.CLEO)

    assert not any(file.is_complete for file in workspace.files.values())


async def test_the_export_command_writes_a_row_for_each_survey(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        await insert_sample_data(environment["DATABASE_URL"])
        code, printed = await run_command(
            tmp_path, environment, "export", "--period", "90d", "--output", "all.csv"
        )

    assert code == 0, printed
    title = last_days(90, utc_now(), ZoneInfo("UTC")).title
    assert f" of {title} to all.csv; the checksum is in all.csv.manifest.json" in printed
    assert "surveys (everybody's, none left out" in printed
    assert len((tmp_path / "all.csv").read_text(encoding="utf-8-sig").splitlines()) > 1_000


async def test_the_export_command_blames_no_scope_if_slack_does_not_accept_the_token(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        with contextlib.closing(Database(environment["DATABASE_URL"], GENEROUS)) as database:
            await database.run(insert_rated, [5], utc_now())
        environment["SLACK_BOT_TOKEN"] = "xoxb-wrong"
        code, printed = await run_command(tmp_path, environment, "export", "--output", "all.csv")

    assert code == 0
    assert printed.endswith(
        " 2 names are missing: Slack does not accept the token (invalid_auth). "
        "Export again once an admin of this app has fixed SLACK_BOT_TOKEN.\n"
    )


@pytest.mark.parametrize("period", ["%Y-%m", "%Y-%m-%d", "%Y-%m-%d..%Y-%m-%d"])
async def test_the_export_command_takes_the_periods_of_the_slash_command(
    tmp_path: Path, database: Database, database_url: str, period: str
) -> None:
    yesterday = utc_now() - timedelta(days=1)

    await database.run(insert_rated, [5], yesterday)
    await database.run(insert_rated, [5], yesterday, test=True)
    await database.run(insert_rated, [5], yesterday - timedelta(days=40))
    async with fake_environment(tmp_path) as (_, _, environment):
        environment["DATABASE_URL"] = database_url
        code, printed = await run_command(
            tmp_path, environment, "export", "--period", f"{yesterday:{period}}", "--output", "all.csv"
        )

    assert code == 0, printed
    remark = "(everybody's, none left out; 1 of them a test, which reports leave out)"
    assert f"Exported 2 surveys {remark} of {yesterday:%b} " in printed


async def test_the_report_command_says_how_many_surveys_the_file_leaves_out(
    database: Database, tmp_path: Path
) -> None:
    await database.run(insert_rated, [5] * 3, NOON, requester=fixtures.CLEO)
    period = last_days(30, NOON, ZoneInfo("UTC"))
    selection = Selection(team=fixtures.TEAM, period=period, exclude_requester=fixtures.CLEO)
    async for _ in write_export(database, selection, tmp_path / "all.csv", NOON, no_names):
        pass

    _, printed = await run_command(tmp_path, {}, "report", "--from", "all.csv", "--metric", "csat")

    assert "The file leaves out 3 of a supervisor's own surveys, CSAT and NPS, tests included." in printed
    assert "0 sent (a supervisor's own surveys left out)" in printed
    assert fixtures.CLEO not in printed


async def test_the_export_command_leaves_a_file_that_exists_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("another file", encoding="utf-8")
    async with fake_environment(tmp_path) as (_, _, environment):
        with contextlib.closing(Database(environment["DATABASE_URL"], GENEROUS)) as database:
            await database.run(insert_rated, [5], utc_now())
            code, printed = await run_command(tmp_path, environment, "export", "--output", "all.csv")
            exports = await database.read(lambda connection: connection.execute(select(tables.audit)).all())

    assert (code, printed) == (
        1,
        "The export stopped: all.csv can't be written: there is one already, so choose another name.\n",
    )
    assert exports == []
    assert list_files(tmp_path) == ["all.csv", "csat.db"]
    assert (tmp_path / "all.csv").read_text(encoding="utf-8") == "another file"


def list_files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize(
    ("args", "advice"),
    [
        (
            ("--output", "all.csv", "--period", "soon"),
            "--period: “soon” isn't a period. Enter one like 30d, last week, 2026-11, or",
        ),
        (
            ("--output", "all.csv", "--team", "T0OTHER"),
            "The export stopped: the database has no surveys yet.",
        ),
    ],
)
async def test_the_export_command_explains_invalid_options(
    tmp_path: Path, args: tuple[str, ...], advice: str
) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        Database(environment["DATABASE_URL"], GENEROUS).close()
        code, printed = await run_command(tmp_path, environment, "export", *args)

    assert code == 1
    assert advice in printed
    assert "Traceback" not in printed


async def test_the_export_command_names_the_file_that_it_can_not_write(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        await insert_sample_data(environment["DATABASE_URL"])
        code, printed = await run_command(tmp_path, environment, "export", "--output", "no/folder/all.csv")

    assert code == 1
    assert "The export stopped: no/folder/all.csv can't be written: No such file or directory." in printed


async def test_the_report_command_prints_the_same_figures_from_the_file(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        await insert_sample_data(environment["DATABASE_URL"])
        await run_command(tmp_path, environment, "export", "--period", "90d", "--output", "all.csv")
        command = ("report", "--from", "all.csv", "--metric", "csat")
        code, printed = await run_command(tmp_path, {}, *command)
        _, links = await run_command(tmp_path, {}, *command, "--transport", "x_link")

    database = Database(environment["DATABASE_URL"], GENEROUS)
    period = last_days(90, utc_now(), ZoneInfo("UTC"))
    filters = Filters(team=fixtures.TEAM, metric=Metric.CSAT)
    report = await fetch_report(database, filters, period, utc_now())
    score = summary_text(report, own_left_out(0))
    database.close()
    assert code == 0, printed
    assert score.partition(" Average")[0] in printed
    assert "How customers rated: 5 of 5: " in printed
    assert "By agent and by channel" in printed
    assert "NPS" not in printed
    assert f"Previous 90 days: not compared, as this data begins on {format_day(period.first)}." in printed
    assert "Ada Okafor: Score " in printed
    assert "#support: Score " in printed
    assert fixtures.ADA not in printed
    assert f"as of {format_day(utc_now())}" in printed
    assert ", sent as a link in a direct message, as of " in links
    assert "0 sent · 0 answers" in links


@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        (lambda file: file.unlink(), "There is no file all.csv."),
        (lambda file: [each.unlink() for each in file.parent.glob("*")], "There is no file all"),
        (lambda file: file.write_text("another", encoding="utf-8"), "was changed after it was exported"),
        (lambda file: file.with_name("all.csv.manifest.json").unlink(), "all.csv.manifest.json is missing"),
        (
            lambda file: file.with_name("all.csv.manifest.json").write_text("{}", encoding="utf-8"),
            "can't be read. Export the surveys again",
        ),
    ],
)
async def test_the_report_command_rejects_a_modified_file(
    database: Database, tmp_path: Path, damage: Callable[[Path], object], advice: str
) -> None:
    selection = Selection(team=fixtures.TEAM, period=last_days(30, utc_now(), ZoneInfo("UTC")))
    async for _ in write_export(database, selection, tmp_path / "all.csv", utc_now(), no_names):
        pass
    damage(tmp_path / "all.csv")

    code, printed = await run_command(tmp_path, {}, "report", "--from", "all.csv")

    assert code == 1
    assert advice in printed
    assert "score" not in printed

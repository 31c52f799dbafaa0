"""`/csat export` and `python app.py export`: who gets a file, and who is told why not."""

import csv
import hashlib
import io
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from blocks.report_summary import summary_text
from csat.clock import utc_now
from csat.db import tables
from csat.db.database import Database
from csat.reporting.export_rows import Selection
from csat.reporting.exports import write_export
from csat.reporting.periods import last_days
from csat.reporting.report_builder import fetch_report
from csat.reporting.reports import Filters
from csat.surveys.questions import Metric
from demo.seed import Colleague, Team, insert_past
from sandbox.slack import fixtures
from tests.databases import KINDS, Databases
from tests.test_running import around, output
from tests.world import World, running_world

SCENE = Team(
    id=fixtures.TEAM,
    account="1718260345",
    channels=(fixtures.SUPPORT,),
    threads=(),
    colleagues=(Colleague(fixtures.ADA, 5, 1), Colleague(fixtures.CLEO, 1, 0)),
    supervisor=fixtures.CLEO,
    display_name="Northwind",
)


@pytest.fixture(name="world", params=KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with Cleo as its supervisor, and a past of three months."""
    url = databases.make(request.param, tmp_path)
    async with running_world(
        tmp_path, database_url=url, csat_supervisors=frozenset({fixtures.CLEO})
    ) as world:
        await past(url)
        yield world


async def past(url: str) -> None:
    database = Database(url)
    await database.run(insert_past, SCENE, utc_now())
    database.close()


async def test_a_supervisor_gets_the_file_and_its_manifest_in_a_direct_message(world: World) -> None:
    await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export 30d")
    told = await world.wait_for_dm("surveys, your own left out", fixtures.CLEO)
    await world.wait_until(lambda: all(file.is_complete for file in world.workspace.files.values()))

    sheet, manifest = world.workspace.files.values()
    assert sheet.content
    assert manifest.content
    rows = list(csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig"), newline="")))
    assert {row["requester"] for row in rows} == {fixtures.ADA}
    assert f"{len(rows):,} surveys" in told.text
    assert json.loads(manifest.content)["sha256"] == hashlib.sha256(sheet.content).hexdigest()
    assert world.rows(tables.audit.c.viewer, tables.audit.c.action) == [(fixtures.CLEO, "export")]


async def test_anybody_else_is_told_that_exports_are_for_supervisors(world: World) -> None:
    await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat export 30d")
    await world.wait_for_message("Exports are for supervisors")

    assert world.workspace.files == {}
    assert world.rows(tables.audit) == []


async def test_of_a_period_that_is_none_it_is_said_what_to_type(world: World) -> None:
    await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export yesterday")

    await world.wait_for_message("For example: /csat export 90d", viewer=fixtures.CLEO)


async def test_where_slack_takes_no_file_the_supervisor_is_told(world: World) -> None:
    world.workspace.faults.fail("files.getUploadURLExternal", "missing_scope")
    await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat export")

    await world.wait_for_message("Slack did not take the file (missing_scope)", viewer=fixtures.CLEO)


async def test_an_operator_gets_a_file_with_a_row_for_each_survey(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, _, environment):
        await past(environment["DATABASE_URL"])
        code, printed = await output(tmp_path, environment, "export", "--since", "90d", "--output", "all.csv")

    assert code == 0, printed
    assert "surveys to all.csv; the checksum is in all.csv.manifest.json" in printed
    assert len((tmp_path / "all.csv").read_text(encoding="utf-8-sig").splitlines()) > 1_000


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("--output", "all.csv", "--since", "soon"), "Enter a period like 30d"),
        (("--output", "all.csv", "--team", "T0OTHER"), "The database has surveys of: none"),
        (("--output", "no/such/folder/all.csv"), "The export stopped"),
    ],
)
async def test_an_operator_is_told_what_to_change(
    tmp_path: Path, words: tuple[str, ...], advice: str
) -> None:
    async with around(tmp_path) as (_, _, environment):
        code, printed = await output(tmp_path, environment, "export", *words)

    assert code == 1
    assert advice in printed
    assert "Traceback" not in printed


async def test_an_operator_gets_the_same_figures_from_the_file(tmp_path: Path) -> None:
    async with around(tmp_path) as (_, _, environment):
        await past(environment["DATABASE_URL"])
        await output(tmp_path, environment, "export", "--since", "90d", "--output", "all.csv")
        code, printed = await output(tmp_path, {}, "report", "--from", "all.csv", "--metric", "csat")

    database = Database(environment["DATABASE_URL"])
    period = last_days(90, utc_now(), ZoneInfo("UTC"))
    score = summary_text(
        await fetch_report(database, Filters(team=fixtures.TEAM, metric=Metric.CSAT), period)
    )
    database.close()
    assert code == 0, printed
    assert score.partition(" Average")[0] in printed
    assert "How customers rated: 5 of 5: " in printed
    assert "By agent and by channel" in printed
    assert "NPS" not in printed


@pytest.mark.parametrize(
    ("spoil", "advice"),
    [
        (lambda file: file.unlink(), "all.csv"),
        (lambda file: file.write_text("another", encoding="utf-8"), "was changed after it was exported"),
        (lambda file: file.with_name("all.csv.manifest.json").unlink(), "all.csv.manifest.json is missing"),
        (
            lambda file: file.with_name("all.csv.manifest.json").write_text("{}", encoding="utf-8"),
            "can't be read. Export the surveys again",
        ),
    ],
)
async def test_of_a_file_that_is_not_as_it_was_exported_no_figure_is_printed(
    database: Database, tmp_path: Path, spoil: Callable[[Path], object], advice: str
) -> None:
    everything = Selection(team=fixtures.TEAM, period=last_days(30, utc_now(), ZoneInfo("UTC")))
    async for _ in write_export(database, everything, tmp_path / "all.csv", utc_now()):
        pass
    spoil(tmp_path / "all.csv")

    code, printed = await output(tmp_path, {}, "report", "--from", "all.csv")

    assert code == 1
    assert advice in printed
    assert "score" not in printed

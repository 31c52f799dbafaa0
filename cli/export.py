"""`python app.py export --period 90d --output FILE.csv`: writes a CSV file with a row per survey."""

import contextlib
from pathlib import Path

import typer

from bootstrap.values_from_settings import open_slack
from cli.errors import CommandError
from cli.existing_database import open_existing
from csat.clock import utc_now
from csat.db import audit_log
from csat.db.audit_log import OPERATOR, AuditAction
from csat.db.database import Database
from csat.reporting import export_queries
from csat.reporting.export_files import manifest_path, read_manifest, refuse_existing, write_export
from csat.reporting.export_rows import Selection
from csat.reporting.formatting import format_tests, format_unknown_names, pluralize
from csat.reporting.periods import Period
from csat.settings import SettingsWithoutXKeys
from csat.slack_api.names_for_exports import Names


class NotWritten(CommandError):
    """The file can't be written; `str()` names it."""


class NoSuchTeam(CommandError):
    """The team is missing or unknown; `str()` lists the teams."""


async def run(settings: SettingsWithoutXKeys, period: Period, team: str, output: Path) -> None:
    """Write the file and its manifest; raises `DatabaseError`, `NotWritten` or `NoSuchTeam`."""
    with open_existing(settings) as database:
        chosen = _chosen(await database.read(export_queries.list_teams), team)
        selection = Selection(team=chosen, period=period)
        async with open_slack(settings) as web:
            try:
                await _write(database, selection, output, Names(web))
            except OSError as error:
                raise NotWritten(f"{output} can't be written: {error.strerror}.") from error


async def _write(database: Database, selection: Selection, output: Path, names: Names) -> None:
    refuse_existing(output)
    now, detail = utc_now(), selection.model_dump_json()
    await database.run(audit_log.record, selection.team, OPERATOR, AuditAction.EXPORT, detail, now)
    rows = await database.read(export_queries.count_rows, selection)
    with typer.progressbar(length=rows, label="Exporting") as bar:
        async with contextlib.aclosing(
            write_export(database, selection, output, now, names.look_up)
        ) as pages:
            async for number in pages:
                bar.update(number)
    tests = format_tests(read_manifest(output).tests)
    remarks = "; ".join(filter(None, ["everybody's, none left out", tests]))
    typer.echo(
        f"Exported {pluralize(rows, 'survey')} ({remarks}) of {selection.period.title} to {output}; "
        f"the checksum is in {manifest_path(output).name}."
        f"{format_unknown_names(names.unknown, names.why_unknown)}"
    )


def _chosen(teams: list[str], team: str) -> str:
    if team in teams:
        return team
    if len(teams) == 1 and not team:
        return teams[0]
    if not teams:
        raise NoSuchTeam("the database has no surveys yet.")
    raise NoSuchTeam(f"Choose a team with --team. The database has surveys of: {', '.join(teams)}.")

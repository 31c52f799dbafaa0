"""`python app.py export --since 90d --output FILE.csv`: a row for each survey, for a spreadsheet."""

import contextlib
from pathlib import Path

import typer

from csat.clock import utc_now
from csat.db import audit
from csat.db.audit import Action
from csat.db.database import Ledger
from csat.reporting import export_queries
from csat.reporting.export_rows import Selection
from csat.reporting.exports import export, manifest_of
from csat.reporting.periods import Period
from csat.settings import Settings

OPERATOR = "operator"
"""Who is written down as having seen the export: somebody at this machine."""


class NoSuchTeam(ValueError):
    """It must be said which team's surveys are wanted; `str()` says which there are."""


async def run(settings: Settings, period: Period, team: str, output: Path) -> None:
    """Write the file and its manifest with a progress bar; raises `LedgerError`, `OSError`, `NoSuchTeam`."""
    with contextlib.closing(Ledger(settings.database_url.get_secret_value())) as ledger:
        chosen = _chosen(await ledger.read(export_queries.teams), team)
        selection = Selection(team=chosen, period=period)
        await _write(ledger, selection, output)


async def _write(ledger: Ledger, selection: Selection, output: Path) -> None:
    now, detail = utc_now(), selection.model_dump_json()
    await ledger.run(audit.note, selection.team, OPERATOR, Action.EXPORT, detail, now)
    rows = await ledger.read(export_queries.count, selection)
    with typer.progressbar(length=rows, label="Exporting") as bar:
        async with contextlib.aclosing(export(ledger, selection, output, now)) as pages:
            async for number in pages:
                bar.update(number)
    typer.echo(f"{rows:,} surveys are in {output}; its checksum is in {manifest_of(output).name}.")


def _chosen(teams: list[str], team: str) -> str:
    if team in teams:
        return team
    if len(teams) == 1 and not team:
        return teams[0]
    there = ", ".join(teams) or "none"
    raise NoSuchTeam(f"Say whose surveys you want with --team: the ledger has surveys of {there}.")

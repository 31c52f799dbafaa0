"""`python app.py export --since 90d --output FILE.csv`: a row for each survey, for a spreadsheet."""

import contextlib
from datetime import datetime
from pathlib import Path

import typer

from ledger import audit, exporting
from ledger.audit import Action
from ledger.engine import Ledger
from results.export import export, manifest_of
from settings import Settings
from surveys.clock import utc_now
from surveys.exported import Selection

OPERATOR = "operator"
"""Who is written down as having seen the export: somebody at this machine."""


class NoSuchTeam(ValueError):
    """It must be said which team's surveys are wanted; `str()` says which there are."""


async def run(settings: Settings, since: datetime, until: datetime, team: str, output: Path) -> None:
    """Write the file and its manifest with a progress bar; raises `LedgerError`, `OSError`, `NoSuchTeam`."""
    with contextlib.closing(Ledger(settings.database_url.get_secret_value())) as ledger:
        chosen = _chosen(await ledger.read(exporting.teams), team)
        selection = Selection(team=chosen, since=since, until=until)
        await ledger.run(audit.note, chosen, OPERATOR, Action.EXPORT, str(selection), utc_now())
        rows = await ledger.read(exporting.count, selection)
        with typer.progressbar(length=rows, label="Exporting") as bar:
            async for number in export(ledger, selection, output, utc_now()):
                bar.update(number)
    typer.echo(f"{rows:,} surveys are in {output}; {manifest_of(output).name} holds its checksum.")


def _chosen(teams: list[str], team: str) -> str:
    if team in teams or (not team and not teams):
        return team
    if not team and len(teams) == 1:
        return teams[0]
    there = ", ".join(teams) or "none"
    raise NoSuchTeam(f"Say whose surveys you want with --team; the ledger has surveys of: {there}.")

"""`make torture`: the app killed, starved and cut off in every way we know, and X's own record as the judge.

Exit code 1 unless nothing was lost, nothing was sent twice, and what was uncertain was settled as X's record
says.
"""

import logging
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from bench.torture import app_process, report
from bench.torture.cases import BOTH, FULL, QUICK, Case, cases
from bench.torture.checker import Verdict
from bench.torture.harness import LOG, staged
from bench.torture.processes import Herd
from tests.databases import Databases

UNEXPECTED = "Reference "
"""How the log of a victim names a failure that nobody expected."""


def main(
    *,
    quick: Annotated[bool, typer.Option(help="About a minute, to try it.")] = False,
    seed: Annotated[str, typer.Option(envvar="SEED", help="To repeat a run.")] = "",
    only: Annotated[str, typer.Option(envvar="ONLY", help="The cases with these words in their name.")] = "",
) -> None:
    """Play every case on SQLite, then on PostgreSQL, and print what became of all surveys."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # handshakes fail here because they shall
    seed = seed or str(random.SystemRandom().randrange(10**6))
    typer.echo(f"SEED={seed}. {app_process.CHANGED}\n{report.head()}")
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        databases = Databases(Path(folder) / "postgresql")
        try:
            verdicts = uvloop.run(_play(list(_wanted(quick=quick, only=only)), databases, seed, Path(folder)))
        finally:
            databases.stop()
    summary = report.total(verdicts)
    typer.echo(f"{report.line('all', summary)}\n{report.LEGEND}")
    for wrong in summary.wrong_ones:
        typer.echo(f"WRONG: {wrong}")
    if not summary.fine:
        raise typer.Exit(1)


def _wanted(*, quick: bool, only: str) -> Iterator[tuple[str, Case]]:
    for kind in BOTH:
        for case in cases(QUICK if quick else FULL):
            if kind in case.databases and only in f"{kind} {case.name}":
                yield kind, case


async def _play(
    wanted: list[tuple[str, Case]], databases: Databases, seed: str, folder: Path
) -> list[Verdict]:
    herd, verdicts = Herd(), list[Verdict]()
    for number, (kind, case) in enumerate(wanted):
        name, begun = f"{kind} {case.name}", time.monotonic()
        place = folder / str(number)
        place.mkdir()
        async with staged(herd, databases, kind, place, socket=case.socket) as stage:
            verdict = await case.play(stage, random.Random(f"{seed} {name}"), case.amount)  # noqa: S311 - repeatable
        verdict.wrong_ones = [
            f"{name}: {wrong}" for wrong in (*verdict.wrong_ones, *_unexpected(place / LOG))
        ]
        verdicts.append(verdict)
        typer.echo(f"{report.line(name, verdict)}  {time.monotonic() - begun:.0f} s")
    return verdicts


def _unexpected(log: Path) -> list[str]:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.partition(UNEXPECTED)[2] for line in lines if UNEXPECTED in line]


if __name__ == "__main__":
    cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    cli.command()(main)
    cli()

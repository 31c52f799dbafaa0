"""`make bench`: csat-slack beside the same journey as the documentation of Bolt shows it, in one run.

Three apps open the same form and send the same survey: ours, with its ledger on disk; a plain one in Python;
a plain one in JavaScript. All are pinned to one core, where each works only in its turn. The load generator
(this process) and the stub of Slack and X (a process of its own) have another core.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from bench import chart, report
from bench.apps import BENCH, ROOT, NotInstalled, install
from bench.linux import TooSmall, two_cores
from bench.load import LoadError
from bench.runner import FULL, QUICK, measure


def main(
    *,
    quick: Annotated[bool, typer.Option(help="Less than a minute, to try it; keeps no figures.")] = False,
    keep: Annotated[Path, typer.Option(help="Where the figures and their picture go.")] = ROOT / "docs",
) -> None:
    """Measure, print the figures, and keep them and their picture."""
    plan = QUICK if quick else FULL
    try:
        cores = two_cores()
        install()
        with tempfile.TemporaryDirectory(prefix="run-", dir=BENCH) as folder:
            results = uvloop.run(measure(plan, cores, Path(folder), typer.echo))
    except (LoadError, NotInstalled, TooSmall) as error:
        typer.echo(f"The bench failed: {error}", err=True)
        raise typer.Exit(1) from None
    for line in report.tables(plan, results):
        typer.echo(line)
    if not quick:
        report.write(keep, plan, results)
        chart.write(keep, results)


if __name__ == "__main__":
    typer.run(main)

"""`make bench`: measure csat-slack beside the same features as four Bolt apps, in one run.

How to read the output:

1. There is a table for each scenario: `open_form` is `/csat` until the form is open, `send_survey` is the
   submission until X has the survey and the channel its confirmation; with 1, 8 and 64 concurrent users.
2. `ack` is what Slack limits to three seconds, `end` what the user waits for. Lower is better, but for ops/s.
3. The `SQLite / ...` and `PostgreSQL / ...` lines compare csat-slack on that database with another app:
   0.50x means that it needs half of what the other needs.
4. The table of killed apps counts which of their acknowledged surveys reached X twice or never.
5. `Targets` lists our limits and what was measured, each as met or MISSED.
6. The last lines say how the values are taken, and how much other processes disturbed the run: above a few
   percent, run it again.

Two of the others store nothing, and two have a job queue on PostgreSQL: procrastinate in Python, pg-boss in
JavaScript. All are written as the documentation of Bolt and of the queue shows it, are pinned to one core and
take turns; the load generator (this process), the stub of Slack and X, and PostgreSQL run on another core.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from bench import chart, report
from bench.compared_apps import BENCH, ROOT, install_npm_packages
from bench.errors import BenchError
from bench.linux import pick_cores
from bench.measurement_plan import FULL, QUICK
from bench.runner import run_bench


def main(
    *,
    quick: Annotated[bool, typer.Option(help="Take less than a minute, and write no files.")] = False,
    output: Annotated[Path, typer.Option(help="Folder for bench.json and bench.svg.")] = ROOT / "docs",
) -> None:
    """Measure, print the report, and write it as JSON and as a chart."""
    plan = QUICK if quick else FULL
    try:
        cores = pick_cores()
        install_npm_packages()
        with tempfile.TemporaryDirectory(prefix="run-", dir=BENCH) as folder:
            results = uvloop.run(run_bench(plan, cores, Path(folder), typer.echo))
    except BenchError as error:
        typer.echo(f"The bench failed: {error}", err=True)
        raise typer.Exit(1) from None
    for line in report.format_report(plan, results):
        typer.echo(line)
    if not quick:
        report.write_json(output, plan, results)
        chart.write_chart(output, results)


if __name__ == "__main__":
    typer.run(main)

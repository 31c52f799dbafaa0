"""`make torture`: kill, freeze and cut off the app in every way we know, and compare it with X and Slack.

Each line of the output is one case on one database; its columns count surveys and are explained at the end.
Exit code 1 if a survey was lost or sent twice, an uncertain one was settled differently from that,
a response is missing, or the app logged an unexpected error. Each such failure is listed.
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

from bench.torture import patched_app, report
from bench.torture.app_processes import AppProcesses
from bench.torture.cases.registry import FULL, QUICK, Case, list_cases
from bench.torture.checker import CaseResult
from bench.torture.customers import run_with_customers
from bench.torture.harness import open_harness
from csat.surveys.transports import TransportName
from tests.databases import KINDS, Databases


def main(
    *,
    quick: Annotated[bool, typer.Option(help="Take a few minutes instead of 45.")] = False,
    seed: Annotated[str, typer.Option(envvar="SEED", help="Repeat the run with this seed.")] = "",
    only: Annotated[str, typer.Option(envvar="ONLY", help="Run only cases whose name contains this.")] = "",
) -> None:
    """Run all cases on SQLite, then on PostgreSQL, and print what became of the surveys."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # handshakes fail here on purpose
    seed = seed or str(random.SystemRandom().randrange(10**6))
    typer.echo(f"SEED={seed}. {patched_app.DIFFERENCES}\n{report.format_header()}")
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        databases = Databases(Path(folder) / "postgresql")
        try:
            cases = list(_select_cases(quick=quick, only=only))
            results = uvloop.run(_run(cases, databases, seed, Path(folder)))
        finally:
            databases.stop()
    total = sum(results, CaseResult())
    typer.echo(f"{report.format_result('all', total)}\n{report.LEGEND}")
    for failure in total.failures:
        typer.echo(f"FAILED: {failure}")
    if not total.passed:
        raise typer.Exit(1)


def _select_cases(*, quick: bool, only: str) -> Iterator[tuple[str, Case]]:
    for kind in KINDS:
        for case in list_cases(QUICK if quick else FULL):
            if kind in case.databases and only in f"{kind} {case.name}":
                yield kind, case


async def _run(
    cases: list[tuple[str, Case]], databases: Databases, seed: str, folder: Path
) -> list[CaseResult]:
    processes, results = AppProcesses(), list[CaseResult]()
    for number, (kind, case) in enumerate(cases):
        name, started_at = f"{kind} {case.name}", time.monotonic()
        case_folder = folder / str(number)
        case_folder.mkdir()
        rng = random.Random(f"{seed} {name}")  # noqa: S311 - repeatable
        async with open_harness(
            processes,
            databases,
            kind,
            case_folder,
            socket_mode=case.socket_mode,
            transport=case.transport,
            in_thread=case.in_thread,
        ) as harness:
            running = case.run(harness, rng, case.amount)
            has_customers = case.transport is not TransportName.X_CARD
            result = await (run_with_customers(harness, rng, running) if has_customers else running)
        result.failures += harness.unexpected_errors()
        result.failures = [f"{name}: {failure}" for failure in result.failures]
        results.append(result)
        typer.echo(f"{report.format_result(name, result)}  {time.monotonic() - started_at:.0f} s")
    return results


if __name__ == "__main__":
    cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    cli.command()(main)
    cli()

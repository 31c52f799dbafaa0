"""The results as tables for the terminal, and as JSON for docs/."""

import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, astuple
from pathlib import Path
from statistics import median
from typing import Any

from bench.compared_apps import APPS, COMPARISONS, DURABLE_JS_FOLDER, OURS_POSTGRESQL, App
from bench.linux import processor_name
from bench.measurement_plan import Plan
from bench.performance_targets import check_targets
from bench.result_statistics import Results, Scenario, Stats

_COLUMNS = ("", "ack p50", "ack p99", "end p50", "end p99", "ops/s", "CPU ms")
_NOTES = """\
ack: from the request to its acknowledgement, ms. end: to the final call to Slack, ms. ops/s: throughput.
CPU ms: CPU time of the app per operation, all threads.
Values are medians of {rounds} round(s) in which the apps took turns; ratios are medians of their ratios.
With 1 user there is a pause of 10 ms after each operation, which ops/s leaves out.
csat-slack stores each survey in SQLite (synchronous=FULL) or in PostgreSQL (with fsync); Bolt + procrastinate
and Bolt + pg-boss in PostgreSQL; the plain apps don't. Only csat-slack checks permissions and limits.
untold: of the surveys that never reached X, those of which nobody was told. csat-slack tells the requester
that an outcome is unknown, and settles it from X's events a day later.
Slack and X are a stub on this machine, without TLS: in production, the plain Python app would pay more for
opening a connection per call to Slack. The load generator, the stub and PostgreSQL have a core of their own;
the first two used {load_cpu:.2f} CPU ms per operation.
Other processes used {other_cpu:.0%} of the apps' core, at worst {max_other_cpu:.0%}."""


def format_report(plan: Plan, results: Results) -> Iterator[str]:
    """Yield the report line by line."""
    for scenario in results.runs:
        yield from _format_scenario(scenario, results)
    yield from _format_footprints(results)
    yield from _format_kills(plan, results)
    yield from _format_targets(results)
    yield ""
    yield _NOTES.format(
        rounds=plan.rounds,
        load_cpu=median(results.load_cpu),
        other_cpu=median(results.other_cpu),
        max_other_cpu=max(results.other_cpu),
    )


def _format_scenario(scenario: Scenario, results: Results) -> Iterator[str]:
    users = "1 user" if scenario.concurrency == 1 else f"{scenario.concurrency} users"
    yield ""
    yield f"{scenario.workload}, {users}, Slack and X respond after {scenario.latency_ms} ms"
    yield _format_row(*_COLUMNS)
    for app in APPS:
        stats = results.median(scenario, app.name)
        yield _format_row(app.label, *map(_format_value, astuple(stats)))
    for ours, baseline in COMPARISONS:
        ratios = astuple(results.ratio(scenario, ours.name, baseline.name))
        yield _format_row(f"{_short(ours)} / {baseline.label}", *(f"{ratio:.2f}x" for ratio in ratios))


def _short(ours: App) -> str:
    return "PostgreSQL" if ours is OURS_POSTGRESQL else "SQLite"


def _format_footprints(results: Results) -> Iterator[str]:
    yield ""
    yield _format_row("", "start s", "peak MiB", "idle CPU")
    for app in APPS:
        footprint = results.footprints[app.name]
        yield _format_row(
            app.label,
            f"{footprint.start_seconds:.2f}",
            f"{footprint.peak_memory_mib:.0f}",
            f"{footprint.idle_cpu:.2%}",
        )


def _format_kills(plan: Plan, results: Results) -> Iterator[str]:
    if not results.kills:
        return
    yield ""
    yield f"What became of the acknowledged surveys of apps that were killed {plan.kills} times"
    yield _format_row("", "surveys", "X twice", "X never", "untold")
    for app in APPS:
        counts = results.kills[app.name]
        yield _format_row(app.label, *map(str, astuple(counts)))


def _format_targets(results: Results) -> Iterator[str]:
    yield ""
    yield "Targets (a ratio is the worst of all scenarios to which it applies)"
    for target in check_targets(results):
        status = "met   " if target.is_met else "MISSED"
        limit = f"{'at least' if target.at_least else 'at most'} {target.limit:g} {target.unit}"
        yield f"  {status}  {target.measured:7.2f} {target.unit}  ({limit})  {target.name}"


def _format_row(label: str, *cells: str) -> str:
    return f"  {label:<28}" + "".join(f"{cell:>10}" for cell in cells)


def _format_value(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"  # noqa: PLR2004 - three digits are enough


def write_json(folder: Path, plan: Plan, results: Results) -> None:
    """Write bench.json, with all values, to a folder."""
    (folder / "bench.json").write_text(to_json(plan, results), encoding="utf-8")


def to_json(plan: Plan, results: Results) -> str:
    """Return all values as JSON."""
    report: dict[str, Any] = {
        "environment": _versions(),
        "plan": asdict(plan),
        "runs": [
            {
                **scenario._asdict(),
                "apps": {name: [_rounded(stats) for stats in rounds] for name, rounds in apps.items()},
                "medians": {app.name: _rounded(results.median(scenario, app.name)) for app in APPS},
                "ratios": {
                    f"{ours.name}_to_{app.name}": _rounded(results.ratio(scenario, ours.name, app.name))
                    for ours, app in COMPARISONS
                },
            }
            for scenario, apps in results.runs.items()
        ],
        "footprints": {name: asdict(footprint) for name, footprint in results.footprints.items()},
        "kills": {name: asdict(counts) for name, counts in results.kills.items()},
        "targets": [{**asdict(target), "is_met": target.is_met} for target in check_targets(results)],
        "other_cpu": {"median": median(results.other_cpu), "max": max(results.other_cpu)},
        "load_cpu": median(results.load_cpu),
    }
    return json.dumps(report, indent=1) + "\n"


def _rounded(stats: Stats) -> dict[str, float]:
    return {name: round(value, 3) for name, value in asdict(stats).items()}


def _versions() -> dict[str, str]:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)  # noqa: S607 - from the PATH
    node_modules = DURABLE_JS_FOLDER / "node_modules"
    npm = {
        name: json.loads((node_modules / name / "package.json").read_text(encoding="utf-8"))["version"]
        for name in ("@slack/bolt", "pg-boss")
    }
    return {
        "processor": processor_name(),
        "system": platform.system(),
        "python": platform.python_version(),
        "slack-bolt": importlib.metadata.version("slack-bolt"),
        "procrastinate": importlib.metadata.version("procrastinate"),
        "node": node.stdout.strip().removeprefix("v"),
        **npm,
    }

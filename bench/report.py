"""The figures in words: tables for the terminal, and the raw ones for docs/."""

import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, astuple
from pathlib import Path
from statistics import median
from typing import Any

from bench.apps import APPS, OURS, PLAIN, PLAIN_JS
from bench.linux import processor
from bench.runner import Plan
from bench.stats import Cell, Figures, Results
from bench.targets import judged

_HEAD = ("", "ack p50", "ack p99", "end p50", "end p99", "ops/s", "CPU ms")
_CAVEATS = """\
ack: from the request to its whole answer. end: from the request until the last call has arrived at the stub.
ops/s counts journeys that have ended. CPU ms: of the app, all threads, for each operation.
Medians over {rounds} round(s), in which the apps took turns; a ratio is the median of the rounds' ratios.
One operation at a time: a pause of 10 ms after each one, which ops/s leaves out.
csat-slack keeps every survey in a SQLite file (synchronous=FULL) and checks who may send; the others don't.
Slack and X are a stub on this machine, without TLS: plain Python, which connects anew for each call to Slack,
would have to pay more for that in earnest. The load and the stub took {load:.2f} CPU ms for each operation,
on a core of their own; others took {disturbed:.0%} of the apps' core meanwhile, at worst {worst:.0%}."""


def tables(plan: Plan, results: Results) -> Iterator[str]:
    """Yield everything that is told, line by line."""
    for cell in results.runs:
        yield from _table(cell, results)
    yield from _footprints(results)
    yield from _targets(results)
    yield ""
    yield _CAVEATS.format(
        rounds=plan.rounds,
        load=median(results.load_cpu),
        disturbed=median(results.disturbance),
        worst=max(results.disturbance),
    )


def _table(cell: Cell, results: Results) -> Iterator[str]:
    yield ""
    title = f"{cell.workload}, {cell.concurrency} at a time, Slack and X answer after {cell.latency} ms"
    yield title
    yield _row(*_HEAD)
    for app in APPS:
        yield _row(app.label, *map(_short, astuple(results.of(cell, app.name))))
    for app in PLAIN:
        ratio = results.ratio(cell, OURS.name, app.name)
        yield _row(f"ours / {app.label}", *(f"{each:.2f}x" for each in astuple(ratio)))


def _footprints(results: Results) -> Iterator[str]:
    yield ""
    yield _row("", "start s", "peak MiB", "idle %")
    for app in APPS:
        taken = results.footprints[app.name]
        yield _row(app.label, f"{taken.start:.2f}", f"{taken.peak_memory:.0f}", f"{taken.idle * 100:.2f}")


def _targets(results: Results) -> Iterator[str]:
    yield ""
    yield "Targets (each ratio is the worst of the loads that it speaks of)"
    for target in judged(results):
        mark = "reached    " if target.reached else "NOT REACHED"
        bound = "at least" if target.at_least else "at most"
        limit = f"{bound} {target.limit:g} {target.unit}"
        yield f"  {mark}  {target.measured:7.2f} {target.unit}  ({limit})  {target.what}"


def _row(label: str, *columns: str) -> str:
    return f"  {label:<24}" + "".join(f"{column:>10}" for column in columns)


def _short(figure: float) -> str:
    return f"{figure:.2f}" if figure < 100 else f"{figure:.0f}"  # noqa: PLR2004 - three digits are enough


def raw(plan: Plan, results: Results) -> str:
    """Return every figure as JSON."""
    figures: dict[str, Any] = {
        "on": _versions(),
        "plan": asdict(plan),
        "runs": [
            {
                **cell._asdict(),
                "apps": {name: [_rounded(run) for run in runs] for name, runs in by_app.items()},
                "medians": {app.name: _rounded(results.of(cell, app.name)) for app in APPS},
                "ratios": {
                    f"to_{app.name}": _rounded(results.ratio(cell, OURS.name, app.name)) for app in PLAIN
                },
            }
            for cell, by_app in results.runs.items()
        ],
        "footprints": {name: asdict(footprint) for name, footprint in results.footprints.items()},
        "targets": [{**asdict(target), "reached": target.reached} for target in judged(results)],
        "disturbance": {"median": median(results.disturbance), "worst": max(results.disturbance)},
        "load_cpu": median(results.load_cpu),
    }
    return json.dumps(figures, indent=1) + "\n"


def _rounded(figures: Figures) -> dict[str, float]:
    return {name: round(figure, 3) for name, figure in asdict(figures).items()}


def _versions() -> dict[str, str]:
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)  # noqa: S607 - of the PATH
    bolt = json.loads((PLAIN_JS / "node_modules/@slack/bolt/package.json").read_text(encoding="utf-8"))
    return {
        "processor": processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "slack-bolt": importlib.metadata.version("slack-bolt"),
        "node": node.stdout.strip().removeprefix("v"),
        "@slack/bolt": bolt["version"],
    }


def write(folder: Path, plan: Plan, results: Results) -> None:
    """Keep the raw figures in a folder."""
    (folder / "bench.json").write_text(raw(plan, results), encoding="utf-8")

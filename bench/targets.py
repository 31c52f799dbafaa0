"""The targets, and whether they are reached."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bench.apps import OURS, PLAIN, PLAIN_JS_APP, PLAIN_PYTHON, App
from bench.runner import SLASH, SUBMIT
from bench.stats import Cell, Figures, Results

MANY: Final = 64
"""The concurrency at which throughput and p99 are judged."""


@dataclass(frozen=True)
class Target:
    """A limit, and what was measured."""

    what: str
    limit: float
    measured: float
    at_least: bool = False
    unit: str = "x"

    @property
    def reached(self) -> bool:
        """Whether the measured figure keeps the limit."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def judged(results: Results) -> Iterator[Target]:
    """Yield every target; a ratio is the worst of all the loads that it speaks of."""
    alone, many = _when(lambda cell: cell.concurrency == 1), _when(lambda cell: cell.concurrency == MANY)
    every = _when(lambda _: True)
    yield _ratio(results, SLASH, "acknowledgement p50, 1 at a time", "ack_p50", PLAIN_PYTHON, 0.2, alone)
    yield _ratio(results, SLASH, "CPU per operation", "cpu", PLAIN_PYTHON, 0.6, every)
    yield _ratio(results, SLASH, "CPU per operation", "cpu", PLAIN_JS_APP, 1.0, every)
    for app in PLAIN:
        yield _ratio(results, SUBMIT, "CPU per operation", "cpu", app, 1.0, every)
    for app in PLAIN:
        yield _ratio(
            results, SUBMIT, f"operations per second, {MANY} at a time", "per_second", app, 1.0, many
        )
    for app in PLAIN:
        yield _ratio(results, SUBMIT, f"end-to-end p99, {MANY} at a time", "end_p99", app, 1.0, many)
    for app in PLAIN:
        yield _ratio(results, SUBMIT, f"acknowledgement p99, {MANY} at a time", "ack_p99", app, 1.0, many)
    ours, javascript = results.footprints[OURS.name], results.footprints[PLAIN_JS_APP.name]
    memory = ours.peak_memory / javascript.peak_memory
    yield Target(f"peak memory, beside {PLAIN_JS_APP.label}", 0.5, memory)
    yield Target("idle, of a core", 1, ours.idle * 100, unit="%")
    yield Target("start to first acknowledgement", 1.5, ours.start, unit="s")


Cells = Callable[[Results, str], list[Cell]]


def _when(condition: Callable[[Cell], bool]) -> Cells:
    return lambda results, workload: [
        cell for cell in results.runs if cell.workload == workload and condition(cell)
    ]


def _ratio(
    results: Results, workload: str, what: str, figure: str, beside: App, limit: float, cells: Cells
) -> Target:
    at_least = figure == "per_second"
    ratios = [
        _figure(results.ratio(cell, OURS.name, beside.name), figure) for cell in cells(results, workload)
    ]
    worst = min(ratios) if at_least else max(ratios)
    return Target(f"{workload}: {what}, beside {beside.label}", limit, worst, at_least=at_least)


def _figure(figures: Figures, name: str) -> float:
    figure: float = getattr(figures, name)
    return figure

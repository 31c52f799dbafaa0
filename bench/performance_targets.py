"""Performance targets, and whether they are met."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bench.apps import BASELINES, OURS, PLAIN_JS, PLAIN_PYTHON, App
from bench.plan import OPEN_FORM, SEND_SURVEY
from bench.stats import Results, Scenario

HIGH_CONCURRENCY: Final = 64
"""The concurrency for throughput and p99."""


@dataclass(frozen=True)
class Target:
    """A limit, and what was measured."""

    name: str
    limit: float
    measured: float
    at_least: bool = False
    unit: str = "x"

    @property
    def is_met(self) -> bool:
        """True if the measured value is within the limit."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def check_targets(results: Results) -> Iterator[Target]:
    """Yield all targets; a ratio is the worst of all scenarios to which it applies."""
    yield _ratio_target(results, OPEN_FORM, "ack p50, 1 user", "ack_p50", PLAIN_PYTHON, 0.2, _has_one_user)
    yield _ratio_target(results, OPEN_FORM, "CPU per operation", "cpu", PLAIN_PYTHON, 0.6, _is_any)
    yield _ratio_target(results, OPEN_FORM, "CPU per operation", "cpu", PLAIN_JS, 1.0, _is_any)
    for app in BASELINES:
        yield _ratio_target(results, SEND_SURVEY, "CPU per operation", "cpu", app, 1.0, _is_any)
    for name, field in (("throughput", "throughput"), ("end-to-end p99", "end_p99"), ("ack p99", "ack_p99")):
        for app in BASELINES:
            title = f"{name}, {HIGH_CONCURRENCY} users"
            yield _ratio_target(results, SEND_SURVEY, title, field, app, 1.0, _has_many_users)
    ours, plain_js = results.footprints[OURS.name], results.footprints[PLAIN_JS.name]
    memory = ours.peak_memory_mib / plain_js.peak_memory_mib
    yield Target(f"peak memory, relative to {PLAIN_JS.label}", 0.5, memory)
    yield Target("idle CPU, of a core", 1, ours.idle_cpu * 100, unit="%")
    yield Target("time to the first acknowledgement", 1.5, ours.start_seconds, unit="s")


def _is_any(_scenario: Scenario) -> bool:
    return True


def _has_one_user(scenario: Scenario) -> bool:
    return scenario.concurrency == 1


def _has_many_users(scenario: Scenario) -> bool:
    return scenario.concurrency == HIGH_CONCURRENCY


def _ratio_target(
    results: Results,
    workload: str,
    name: str,
    field: str,
    baseline: App,
    limit: float,
    applies: Callable[[Scenario], bool],
) -> Target:
    ratios = [
        getattr(results.ratio(scenario, OURS.name, baseline.name), field)
        for scenario in results.runs
        if scenario.workload == workload and applies(scenario)
    ]
    at_least = field == "throughput"
    worst = min(ratios) if at_least else max(ratios)
    title = f"{workload}: {name}, relative to {baseline.label}"
    return Target(title, limit, worst, at_least=at_least)

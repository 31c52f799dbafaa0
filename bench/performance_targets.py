"""Performance targets, and whether they are met."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench.compared_apps import (
    DURABLE_JS,
    DURABLE_PYTHON,
    OURS,
    OURS_POSTGRESQL,
    PLAIN,
    PLAIN_JS,
    PLAIN_PYTHON,
    App,
)
from bench.measurement_plan import OPEN_FORM, SEND_SURVEY
from bench.result_statistics import Results, Scenario

HIGH_CONCURRENCY: Final = 64
"""The concurrency for throughput and p99."""
_FIELD_NAMES: Final = {"throughput": "throughput", "cpu": "CPU per operation", "ack_p50": "ack p50"}


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
    yield from _targets_of_plain_apps(results)
    yield from _targets_of_durable_apps(results)
    ours, plain_js = results.footprints[OURS.name], results.footprints[PLAIN_JS.name]
    memory = ours.peak_memory_mib / plain_js.peak_memory_mib
    yield Target(f"peak memory, relative to {PLAIN_JS.label}", 0.5, memory)
    yield Target("idle CPU, of a core", 1, ours.idle_cpu * 100, unit="%")
    for app in (OURS, OURS_POSTGRESQL):
        if counts := results.kills.get(app.name):
            wrong = counts.twice + counts.never_untold
            yield Target(f"sent twice or lost when killed, {app.label}", 0, wrong, unit="")
    yield Target("time to the first acknowledgement", 1.5, ours.start_seconds, unit="s")


def _targets_of_plain_apps(results: Results) -> Iterator[Target]:
    ratio = partial(_ratio_target, results, OURS)
    one_user, many_users = partial(_has_users, 1), partial(_has_users, HIGH_CONCURRENCY)
    yield ratio(PLAIN_PYTHON, OPEN_FORM, "ack p50, 1 user", "ack_p50", 0.2, one_user)
    yield ratio(PLAIN_PYTHON, OPEN_FORM, "CPU per operation", "cpu", 0.6, _is_any)
    yield ratio(PLAIN_JS, OPEN_FORM, "CPU per operation", "cpu", 1.0, _is_any)
    for app in PLAIN:
        yield ratio(app, SEND_SURVEY, "CPU per operation", "cpu", 1.0, _is_any)
    for name, field in (("throughput", "throughput"), ("end-to-end p99", "end_p99"), ("ack p99", "ack_p99")):
        for app in PLAIN:
            yield ratio(app, SEND_SURVEY, f"{name}, {HIGH_CONCURRENCY} users", field, 1.0, many_users)


def _targets_of_durable_apps(results: Results) -> Iterator[Target]:
    """Yield the targets for the same guarantee; they apply to scenarios without latency."""
    for ours, app, field, users, limit in (
        (OURS_POSTGRESQL, DURABLE_PYTHON, "throughput", 8, 1.5),
        (OURS_POSTGRESQL, DURABLE_PYTHON, "throughput", 64, 1.5),
        (OURS_POSTGRESQL, DURABLE_PYTHON, "cpu", 8, 0.8),
        (OURS_POSTGRESQL, DURABLE_PYTHON, "cpu", 64, 0.8),
        (OURS_POSTGRESQL, DURABLE_PYTHON, "ack_p50", 8, 1.0),
        (OURS, DURABLE_JS, "throughput", 1, 1.0),
        (OURS, DURABLE_JS, "throughput", 8, 0.5),
    ):
        name = f"{_FIELD_NAMES[field]}, {users} {'user' if users == 1 else 'users'}"
        applies = partial(_has_users, users, latency_ms=0)
        yield _ratio_target(results, ours, app, SEND_SURVEY, name, field, limit, applies)


def _is_any(_scenario: Scenario) -> bool:
    return True


def _has_users(users: int, scenario: Scenario, latency_ms: int | None = None) -> bool:
    return scenario.concurrency == users and latency_ms in (None, scenario.latency_ms)


def _ratio_target(
    results: Results,
    ours: App,
    baseline: App,
    workload: str,
    name: str,
    field: str,
    limit: float,
    applies: Callable[[Scenario], bool],
) -> Target:
    ratios = [
        getattr(results.ratio(scenario, ours.name, baseline.name), field)
        for scenario in results.runs
        if scenario.workload == workload and applies(scenario)
    ]
    at_least = field == "throughput"
    worst = min(ratios) if at_least else max(ratios)
    title = f"{workload}: {name}, {ours.label} relative to {baseline.label}"
    return Target(title, limit, worst, at_least=at_least)

"""Statistics of one run, of all rounds, and of one app relative to another."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, fields
from statistics import median
from typing import NamedTuple

from bench.load_generator import Operation

_NS_PER_MS = 1e6


class Scenario(NamedTuple):
    """The parameters of a run."""

    workload: str
    latency_ms: int
    """Response time of Slack and X."""
    concurrency: int


@dataclass(frozen=True)
class Stats:
    """Measurements of a run: milliseconds, and operations per second."""

    ack_p50: float
    """Time to the acknowledgement."""
    ack_p99: float
    end_p50: float
    """Time to the final call to Slack."""
    end_p99: float
    throughput: float
    cpu: float
    """CPU time of the app per operation, all threads."""


@dataclass(frozen=True)
class Footprint:
    """Resources that an app needs apart from its operations."""

    start_seconds: float
    """Time to the first acknowledgement, median of all starts."""
    peak_memory_mib: float
    idle_cpu: float
    """Share of a core while there are no requests."""


@dataclass(frozen=True)
class KillCounts:
    """Outcomes of the surveys that an app acknowledged while it was killed over and over."""

    surveys: int
    twice: int
    """Reached X more than once."""
    never: int
    """Did not reach X."""
    never_untold: int
    """Did not reach X, and nobody was told that this may be so."""


@dataclass
class Results:
    """All measurements; each list has one entry per round."""

    runs: dict[Scenario, dict[str, list[Stats]]] = field(default_factory=dict)
    """By scenario and name of the app."""
    footprints: dict[str, Footprint] = field(default_factory=dict)
    kills: dict[str, KillCounts] = field(default_factory=dict)
    """By name of the app; empty if none was killed."""
    other_cpu: list[float] = field(default_factory=list)
    """For each run, the share of the apps' core that other processes used."""
    load_cpu: list[float] = field(default_factory=list)
    """For each run, CPU milliseconds of the load generator and the stub per operation."""

    def median(self, scenario: Scenario, app: str) -> Stats:
        """Return the median of each value over all rounds."""
        return _median(self.runs[scenario][app])

    def ratio(self, scenario: Scenario, app: str, baseline: str) -> Stats:
        """Return the median over all rounds of one app's values divided by another's in the same round."""
        rounds = zip(self.runs[scenario][app], self.runs[scenario][baseline], strict=True)
        return _median([_divide(*stats) for stats in rounds])


def compute_stats(operations: Sequence[Operation], seconds: float, cpu_seconds: float) -> Stats:
    """Return the statistics of one run."""
    acks = sorted((operation.acked_at - operation.started_at) / _NS_PER_MS for operation in operations)
    ends = sorted(
        (operation.completed_at.result() - operation.started_at) / _NS_PER_MS for operation in operations
    )
    return Stats(
        ack_p50=percentile(acks, 50),
        ack_p99=percentile(acks, 99),
        end_p50=percentile(ends, 50),
        end_p99=percentile(ends, 99),
        throughput=len(operations) / seconds,
        cpu=cpu_seconds * 1000 / len(operations),
    )


def percentile(sorted_values: Sequence[float], percent: int) -> float:
    """Return the smallest value that is at least as large as `percent` percent of the values."""
    return sorted_values[math.ceil(len(sorted_values) * percent / 100) - 1]


def _divide(stats: Stats, baseline: Stats) -> Stats:
    pairs = zip(astuple(stats), astuple(baseline), strict=True)
    return Stats(*(value / baseline_value for value, baseline_value in pairs))


def _median(rounds: Sequence[Stats]) -> Stats:
    return Stats(*(median(getattr(stats, each.name) for stats in rounds) for each in fields(Stats)))

"""The figures: of one run, over the runs, and of one app beside another."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field, fields
from statistics import median
from typing import NamedTuple

from bench.load import Operation

_MS = 1e6
"""Nanoseconds."""


class Cell(NamedTuple):
    """A kind of run."""

    workload: str
    latency: int
    """Milliseconds after which Slack and X answer."""
    concurrency: int


@dataclass(frozen=True)
class Figures:
    """What is measured in a run: milliseconds, and operations per second."""

    ack_p50: float
    ack_p99: float
    end_p50: float
    end_p99: float
    per_second: float
    cpu: float
    """CPU milliseconds of the app for each operation, all threads."""


@dataclass(frozen=True)
class Footprint:
    """What an app takes beside its operations."""

    start: float
    """Seconds to the first acknowledgement, median of the starts."""
    peak_memory: float
    """MiB, over the whole bench."""
    idle: float
    """Share of a core while nobody does anything."""


@dataclass
class Results:
    """Everything that was measured; each list holds one entry for each round."""

    runs: dict[Cell, dict[str, list[Figures]]] = field(default_factory=dict)
    footprints: dict[str, Footprint] = field(default_factory=dict)
    disturbance: list[float] = field(default_factory=list)
    """The share of the apps' core that other programs took, for each run."""
    load_cpu: list[float] = field(default_factory=list)
    """CPU milliseconds of the load generator and the stub for each operation, for each run."""

    def of(self, cell: Cell, app: str) -> Figures:
        """Return the medians over the rounds."""
        return _medians(self.runs[cell][app])

    def ratio(self, cell: Cell, app: str, to: str) -> Figures:
        """Return the medians of one app's figures divided by another's of the same round."""
        pairs = zip(self.runs[cell][app], self.runs[cell][to], strict=True)
        return _medians(
            [
                Figures(*(mine / its for mine, its in zip(astuple(one), astuple(other), strict=True)))
                for one, other in pairs
            ]
        )


def of_run(operations: Sequence[Operation], seconds: float, cpu_seconds: float) -> Figures:
    """Return the figures of one run."""
    acks = sorted((operation.acked - operation.began) / _MS for operation in operations)
    ends = sorted((operation.ended.result() - operation.began) / _MS for operation in operations)
    return Figures(
        ack_p50=percentile(acks, 50),
        ack_p99=percentile(acks, 99),
        end_p50=percentile(ends, 50),
        end_p99=percentile(ends, 99),
        per_second=len(operations) / seconds,
        cpu=cpu_seconds * 1000 / len(operations),
    )


def percentile(ordered: Sequence[float], share: int) -> float:
    """Return the smallest figure that `share` percent of them don't exceed."""
    return ordered[math.ceil(len(ordered) * share / 100) - 1]


def _medians(runs: Iterable[Figures]) -> Figures:
    together = list(runs)
    return Figures(*(median(getattr(run, each.name) for run in together) for each in fields(Figures)))

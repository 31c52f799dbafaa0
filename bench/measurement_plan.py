"""The plan of the measurements: the workloads, and how much of each is measured."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from bench.result_statistics import Scenario
from bench.slack_and_x_stub import POST_MESSAGE, VIEWS_OPEN

OPEN_FORM, SEND_SURVEY = "open_form", "send_survey"
FINAL_CALLS = {OPEN_FORM: VIEWS_OPEN, SEND_SURVEY: POST_MESSAGE}
"""The call that completes an operation, by workload."""


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    rounds: int
    starts: int
    operations: dict[int, int]
    """Operations per run, by concurrency."""
    warm_up_operations: int
    """Operations of each workload that each app runs first, not counted."""
    idle_seconds: float
    kills: int
    """How often each app is killed at the end; takes three minutes if at all."""
    latencies_ms: Sequence[int] = (0, 20)

    @property
    def scenarios(self) -> list[Scenario]:
        """All combinations of workload, latency and concurrency."""
        combinations = itertools.product(FINAL_CALLS, self.latencies_ms, self.operations)
        return [Scenario(*combination) for combination in combinations]


FULL = Plan(
    rounds=3,
    starts=3,
    operations={1: 80, 8: 200, 64: 320},
    warm_up_operations=500,
    idle_seconds=10,
    kills=10,
)
QUICK = Plan(
    rounds=1,
    starts=1,
    operations={1: 30, 8: 120, 64: 320},
    warm_up_operations=200,
    idle_seconds=4,
    kills=0,
)

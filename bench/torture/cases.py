"""All cases, and what each needs."""

import random
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

from bench.torture import faults, instances, kills, responses, storage
from bench.torture.checker import Verdict
from bench.torture.failpoints import POINTS
from bench.torture.harness import Stage

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
BOTH: Final = (SQLITE, POSTGRESQL)


class Amount(NamedTuple):
    """How much of it."""

    points: tuple[str, ...]
    kills: int
    """At each point."""
    at_random: int
    rounds: int
    """How often each trouble happens."""
    times: int
    """How often an instance, a server or a file is taken away."""
    events: int
    """How many of X's events come at once."""


FULL: Final = Amount(POINTS, kills=20, at_random=100, rounds=3, times=20, events=10_000)
QUICK: Final = Amount(
    ("accept:after", "begin:after", "post:left", "post:answered", "sent:before", "tell:left", "doubt:before"),
    kills=1,
    at_random=3,
    rounds=1,
    times=2,
    events=1_000,
)


class Case(NamedTuple):
    """One case: a name, and how it is played."""

    name: str
    play: Callable[[Stage, random.Random, int], Awaitable[Verdict]]
    amount: int
    databases: tuple[str, ...] = BOTH
    socket: bool = False


def cases(amount: Amount) -> Iterator[Case]:
    """Yield every case, the most important first."""
    for point in amount.points:
        yield Case(f"killed {point}", partial(kills.at_point, point=point), amount.kills)
    yield Case("killed at random", kills.at_random, amount.at_random)
    yield Case("trouble at X", faults.at_x, amount.rounds)
    yield Case("trouble at Slack", faults.at_slack, amount.rounds, socket=True)
    yield Case("answers in any order", responses.in_any_order, amount.events)
    yield Case("one of two killed for good", instances.one_killed, amount.times, (POSTGRESQL,), socket=True)
    yield Case("one of two stopped", instances.one_stopped, amount.rounds, (POSTGRESQL,), socket=True)
    yield Case("server restarted", instances.restarted, amount.times, (POSTGRESQL,), socket=True)
    yield Case("file locked", storage.locked, amount.times, (SQLITE,))
    yield Case("file full", storage.full, amount.times, (SQLITE,))

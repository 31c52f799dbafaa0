"""All cases, and what each needs."""

import random
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

from bench.torture import kills
from bench.torture.judge import Verdict
from bench.torture.points import POINTS
from bench.torture.stage import Stage

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
BOTH: Final = (SQLITE, POSTGRESQL)


class Amount(NamedTuple):
    """How much of it."""

    kills: int
    at_random: int


FULL: Final = Amount(kills=20, at_random=100)
QUICK: Final = Amount(kills=1, at_random=5)


class Case(NamedTuple):
    """One case: a name, and how it is played."""

    name: str
    play: Callable[[Stage, random.Random], Awaitable[Verdict]]
    databases: tuple[str, ...] = BOTH
    socket: bool = False


def cases(amount: Amount) -> Iterator[Case]:
    """Yield every case, the most important first."""
    for point in POINTS:
        yield Case(f"killed {point}", partial(_at_point, point, amount.kills))
    yield Case("killed at random", partial(_at_random, amount.at_random))


async def _at_point(point: str, number: int, stage: Stage, rng: random.Random) -> Verdict:
    return await kills.at_point(stage, rng, point, number)


async def _at_random(number: int, stage: Stage, rng: random.Random) -> Verdict:
    return await kills.at_random(stage, rng, number)

"""How long to wait before the next try."""

import random
from datetime import timedelta

FIRST = timedelta(seconds=2)
LONGEST = timedelta(minutes=10)


def backoff(tries: int) -> timedelta:
    """Return a wait that doubles with each try up to `LONGEST`, less a random half of it."""
    longest: timedelta = min(FIRST * 2 ** min(tries, 16), LONGEST)
    return longest * random.uniform(0.5, 1)  # noqa: S311 - it spreads the load, it keeps no secret

"""How long to wait before the next try."""

import random
from datetime import timedelta

FIRST_WAIT = timedelta(seconds=2)
MAX_WAIT = timedelta(minutes=10)


def backoff(tries: int) -> timedelta:
    """Return a wait that doubles with each try up to `MAX_WAIT`, less a random half of it at most."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(tries, 16), MAX_WAIT)
    return wait * random.uniform(0.5, 1)  # noqa: S311 - it spreads the load, it keeps no secret

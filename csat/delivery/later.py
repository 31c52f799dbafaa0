"""What can't be done now: it is left to a later look, or to a later try."""

import logging
import random
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from csat.db.errors import DatabaseError

FIRST = timedelta(seconds=2)
LONGEST = timedelta(minutes=10)

log = logging.getLogger(__name__)


def backoff(tries: int) -> timedelta:
    """Return a wait that doubles with each try up to `LONGEST`, less a random half of it."""
    longest: timedelta = min(FIRST * 2 ** min(tries, 16), LONGEST)
    return longest * random.uniform(0.5, 1)  # noqa: S311 - it spreads the load, it keeps no secret


async def suppress_db_errors(work: Coroutine[Any, Any, None]) -> None:
    """Do what is taken up again by itself, in a later look, where the ledger is away now."""
    try:
        await work
    except DatabaseError as error:
        log.warning("Put off, as the ledger is away: %s", error)

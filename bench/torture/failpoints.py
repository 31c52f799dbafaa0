"""Where a victim can be struck down: named points, found by wrapping the app's own functions.

`STEP:before` is before the commit of a transaction and `STEP:after` right behind it; a call is passed before
it leaves (`:before`), when it has left (`:left`), when its answer has come but is not read (`:answered`), and
when it is read (`:after`).
"""

import asyncio
import functools
import os
import random
import signal
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from aiohttp import ClientResponse

from csat.db import outbox, send_queue, submissions
from csat.db.database import Database
from csat.slack_api.posting import Poster
from csat.x_api.client import XClient
from notifications.notifier import Notifier
from sandbox.x import Fault

STEPS: Final = {
    submissions: ("accept",),
    send_queue: ("claim", "begin", "sent", "refuse", "wait", "doubt", "abandon"),
    outbox: ("told",),
}
"""The transactions that are points, by their module."""

CALLS: Final = {
    "/create.json": "post",
    "/chat.postMessage": "tell",
    "/chat.postEphemeral": "tell",
}
"""The calls that are points, by how their address ends."""

UNDER_WAY = 0.01
"""Seconds that a request may have been on its way, at most, when `:left` is passed."""

MOODS: Final = {
    "refuse": Fault.DMS_CLOSED,
    "wait": Fault.OVER_CAPACITY,
    "doubt": Fault.BAD_GATEWAY_AFTER,
}
"""How X must answer for a step to be taken at all."""

LEAVERS: Final = {"claim": "accept:after", "abandon": "post:left"}
"""Where another victim must have been killed before, for a step to find something to do."""

COMMITS: Final = tuple(
    f"{step}:{when}"
    for step in ("accept", "begin", "sent", "refuse", "wait", "doubt", "told", "claim")
    for when in ("before", "after")
)
POINTS: Final = (
    *COMMITS,
    "abandon:before",
    "abandon:after",
    *(f"{call}:{when}" for call in ("post", "tell") for when in ("before", "left", "answered", "after")),
)


class Strike(NamedTuple):
    """What happens to a victim, and when."""

    point: str
    passing: int
    """At which passing of the point, from 1."""
    number: int = signal.SIGKILL


class Trap:
    """Counts the passings of one point, and strikes."""

    def __init__(self, strike: Strike) -> None:
        self._strike = strike
        self._left = strike.passing
        self._lock = threading.Lock()

    def watches(self, point: str) -> bool:
        """Tell whether this is the point."""
        return point == self._strike.point

    def passing(self, point: str) -> None:
        """Strike, if it is time to."""
        if self.watches(point):
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    os.kill(os.getpid(), self._strike.number)


def lay(strike: Strike) -> None:
    """Wrap the app's functions so that a strike hits this process."""
    trap = Trap(strike)
    taken = threading.local()
    for module, steps in STEPS.items():
        for step in steps:
            setattr(module, step, _step(trap, taken, step, getattr(module, step)))
    Database._transact = _transaction(trap, taken, Database._transact)  # type: ignore[method-assign]  # noqa: SLF001
    XClient.create = _call(trap, "post", XClient.create)  # type: ignore[method-assign]
    Notifier.tell = _call(trap, "tell", Notifier.tell, after=False)  # type: ignore[method-assign]
    for way in ("post", "whisper"):
        setattr(Poster, way, _call(trap, "tell", getattr(Poster, way), before=False))
    ClientResponse.start = _answer(trap, ClientResponse.start)  # type: ignore[method-assign]


def _step(trap: Trap, taken: threading.local, step: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def stepping(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever a transaction takes and gives
        result = original(*args, **kwargs)
        if result or step == "told":  # else nothing was written
            trap.passing(f"{step}:before")
            taken.steps = [*getattr(taken, "steps", []), step]
        return result

    return stepping


def _transaction(trap: Trap, taken: threading.local, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def transact(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - same
        taken.steps = []
        result = original(*args, **kwargs)
        for step in taken.steps:
            trap.passing(f"{step}:after")
        return result

    return transact


def _call(
    trap: Trap, call: str, original: Callable[..., Any], *, before: bool = True, after: bool = True
) -> Callable[..., Any]:
    @functools.wraps(original)
    async def calling(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - same
        if before:
            trap.passing(f"{call}:before")
        result = await original(*args, **kwargs)
        if after:
            trap.passing(f"{call}:after")
        return result

    return calling


def _answer(trap: Trap, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def start(self: ClientResponse, *args: Any) -> ClientResponse:  # noqa: ANN401 - aiohttp's own
        call = next((name for end, name in CALLS.items() if self.url.path.endswith(end)), "")
        if trap.watches(f"{call}:left"):
            await asyncio.sleep(random.uniform(0, UNDER_WAY))  # noqa: S311 - a dice
            trap.passing(f"{call}:left")
        response: ClientResponse = await original(self, *args)
        trap.passing(f"{call}:answered")
        return response

    return start

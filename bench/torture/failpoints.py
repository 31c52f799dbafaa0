"""Failpoints: named places in the app at which its process can be killed or frozen.

They are added by wrapping the app's own functions:

* `TRANSACTION:before` and `TRANSACTION:after` are right before and right after its commit;
* `REQUEST:before`, `REQUEST:sent` (sent, no response yet), `REQUEST:responded` (response received, not read
  yet) and `REQUEST:after` follow a request to X or Slack.
"""

import asyncio
import functools
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from aiohttp import ClientResponse

from csat.db import attempt_outcomes, database, outbox, send_queue, submissions
from csat.slack_api.posting import Poster
from csat.x_api.client import XClient
from notifications.notifier import Notifier
from sandbox.x import Fault

AnyFunction = Callable[..., Any]

TRANSACTIONS: Final[dict[str, AnyFunction]] = {
    "accept": submissions.accept,
    "begin_attempt": send_queue.begin_attempt,
    "mark_sent": attempt_outcomes.mark_sent,
    "refuse": attempt_outcomes.refuse,
    "reschedule": attempt_outcomes.reschedule,
    "mark_uncertain": attempt_outcomes.mark_uncertain,
    "mark_notified": outbox.mark_sent,
    "claim": send_queue.claim,
    "mark_stalled": attempt_outcomes.mark_stalled,
}

REQUEST_BY_PATH: Final = {
    "/create.json": "x_create",
    "/messages": "x_create",
    "/chat.postMessage": "slack_post",
    "/chat.postEphemeral": "slack_post",
}
"""Requests by the end of their URL's path."""

FAILPOINTS: Final = (
    *(f"{name}:{when}" for name in TRANSACTIONS for when in ("before", "after")),
    *(
        f"{name}:{when}"
        for name in ("x_create", "slack_post")
        for when in ("before", "sent", "responded", "after")
    ),
)

REQUIRED_FAULTS: Final = {
    "refuse": Fault.DMS_CLOSED,
    "reschedule": Fault.OVER_CAPACITY,
    "mark_uncertain": Fault.BAD_GATEWAY_AFTER,
}
"""Faults of X without which the app never runs a transaction."""

REQUIRED_KILLS: Final = {"claim": "accept:after", "mark_stalled": "x_create:sent"}
"""Failpoints at which an earlier process must have been killed, to leave work for a transaction."""

MAX_TRANSIT_SECONDS = 0.01
"""Longest delay between sending a request and hitting its `:sent`."""


class Failpoint(NamedTuple):
    """A signal that the app's process sends to itself at a failpoint."""

    name: str
    hit: int
    """Which hit of the failpoint sends the signal, from 1."""
    signum: int = signal.SIGKILL


class Trigger:
    """Send the signal of a failpoint when it has been hit often enough."""

    def __init__(self, failpoint: Failpoint) -> None:
        self._failpoint = failpoint
        self._hits_left = failpoint.hit
        self._lock = threading.Lock()

    def is_armed(self, name: str) -> bool:
        """Return True if this is the failpoint's name."""
        return name == self._failpoint.name

    def hit(self, name: str) -> None:
        """Count a hit, and send the signal if it is time."""
        if self.is_armed(name):
            with self._lock:
                self._hits_left -= 1
                if self._hits_left == 0:
                    os.kill(os.getpid(), self._failpoint.signum)


def install(failpoint: Failpoint) -> None:
    """Wrap the app's functions so that the failpoint can hit this process."""
    trigger, thread = Trigger(failpoint), threading.local()
    for name, transaction in TRANSACTIONS.items():
        _patch(
            sys.modules[transaction.__module__],
            transaction,
            _wrap_transaction(trigger, thread, name, transaction),
        )
    _patch(database, database.transact, _wrap_commit(trigger, thread, database.transact))
    _patch(XClient, XClient.create_feedback, _wrap_request(trigger, "x_create", XClient.create_feedback))
    _patch(XClient, XClient.send_message, _wrap_request(trigger, "x_create", XClient.send_message))
    _patch(Notifier, Notifier.deliver, _wrap_request(trigger, "slack_post", Notifier.deliver, after=False))
    for post in (Poster.post, Poster.post_ephemeral, Poster.post_private):
        _patch(Poster, post, _wrap_request(trigger, "slack_post", post, before=False))
    _patch(ClientResponse, ClientResponse.start, _wrap_response(trigger, ClientResponse.start))


def _patch(owner: object, original: AnyFunction, wrapper: AnyFunction) -> None:
    setattr(owner, original.__name__, wrapper)


def _wrap_transaction(
    trigger: Trigger, thread: threading.local, name: str, original: AnyFunction
) -> AnyFunction:
    @functools.wraps(original)
    def transaction(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passes on any arguments
        result = original(*args, **kwargs)
        if result or name == "mark_notified":  # otherwise nothing was written
            trigger.hit(f"{name}:before")
            thread.uncommitted = [*getattr(thread, "uncommitted", []), name]
        return result

    return transaction


def _wrap_commit(trigger: Trigger, thread: threading.local, original: AnyFunction) -> AnyFunction:
    @functools.wraps(original)
    def commit(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passes on any arguments
        thread.uncommitted = []
        result = original(*args, **kwargs)
        for name in thread.uncommitted:
            trigger.hit(f"{name}:after")
        return result

    return commit


def _wrap_request(
    trigger: Trigger, name: str, original: AnyFunction, *, before: bool = True, after: bool = True
) -> AnyFunction:
    @functools.wraps(original)
    async def request(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passes on any arguments
        if before:
            trigger.hit(f"{name}:before")
        result = await original(*args, **kwargs)
        if after:
            trigger.hit(f"{name}:after")
        return result

    return request


def _wrap_response(trigger: Trigger, original: AnyFunction) -> AnyFunction:
    @functools.wraps(original)
    async def start(self: ClientResponse, *args: Any) -> ClientResponse:  # noqa: ANN401 - passes on any arguments
        name = next((name for end, name in REQUEST_BY_PATH.items() if self.url.path.endswith(end)), "")
        if trigger.is_armed(f"{name}:sent"):
            await asyncio.sleep(random.uniform(0, MAX_TRANSIT_SECONDS))  # noqa: S311 - not for cryptography
            trigger.hit(f"{name}:sent")
        response: ClientResponse = await original(self, *args)
        trigger.hit(f"{name}:responded")
        return response

    return start

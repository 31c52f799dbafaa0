"""Failures, delays and other faults that the fake Slack simulates on request."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from http import HTTPStatus

from sandbox.request_hold import Hold
from sandbox.slack.errors import SlackError

INVALID_BLOCKS = "invalid_blocks"

RESPONSE_URL = "response_url"
UPLOAD = "upload"
SOCKET = "socket"


@dataclass
class Fault:
    """An error for the next calls of one method."""

    error: str
    """Slack's name of an error, or an HTTP status such as `503`."""
    times: int = 1
    retry_after: int = 1
    """Seconds, with `ratelimited`."""
    after: bool = False

    @property
    def status(self) -> int:
        """The HTTP status of the response."""
        if self.error.isdigit():
            return int(self.error)
        return HTTPStatus.TOO_MANY_REQUESTS if self.error == "ratelimited" else HTTPStatus.OK


@dataclass
class Garbage:
    """A replacement for the next responses of one method."""

    body: bytes
    content_type: str
    times: int


@dataclass(frozen=True)
class Delay:
    """A delay of every call of one method."""

    seconds: float
    after: bool = False


class InjectedError(SlackError):
    """An error that was requested with `Faults.fail`, with its HTTP status and headers."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.error)
        self.status = fault.status
        self.headers = {"retry-after": str(fault.retry_after)} if fault.error == "ratelimited" else {}


@dataclass
class Faults:
    """The faults of one workspace; none at first.

    A method is one of the Web API, `response_url`, `upload` (the bytes of a file) or `socket` (the handshake
    of Socket Mode). With `after`, Slack first processes the call, for example posts the message, and the
    fault affects only the response; errors of Slack's own are returned as usual. A handshake can only be
    affected before it is processed.
    """

    failures: dict[str, Fault] = field(default_factory=dict)
    delays: dict[str, Delay] = field(default_factory=dict)
    garbage: dict[str, Garbage] = field(default_factory=dict)
    duplicate_deliveries: int = 0
    """How many duplicates of each delivery are sent at once, marked as retries."""
    unsupported_blocks: frozenset[str] = frozenset()
    """Block types that this workspace does not support yet."""
    unsupported_view_error: str = INVALID_BLOCKS
    """The error for views with such a block."""
    _holds: dict[tuple[str, bool], Hold] = field(default_factory=dict, repr=False)
    _cleared: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def fail(
        self, method: str, error: str, times: int = 1, retry_after: int = 1, *, after: bool = False
    ) -> None:
        """Fail the next `times` calls of a method with `error`: Slack's name of it, or an HTTP status."""
        _check_method(method, after=after)
        self.failures[method] = Fault(error, times, retry_after, after)

    def garble(
        self, method: str, body: bytes, content_type: str = "application/json", times: int = 1
    ) -> None:
        """Send `body` as the next `times` responses of a Web API method, after processing the calls."""
        self.garbage[method] = Garbage(body, content_type, times)

    def delay(self, method: str, seconds: float, *, after: bool = False) -> None:
        """Delay every call of a method."""
        _check_method(method, after=after)
        self.delays[method] = Delay(seconds, after)

    def hold(self, method: str, *, times: int | None = None, after: bool = True) -> Hold:
        """Hold the next `times` responses of a method (None: all) until the hold is released.

        Error responses are held, too. With `after=False`, the calls are held before they are processed.
        """
        _check_method(method, after=after)
        hold = self._holds[method, after] = Hold(times)
        return hold

    def disable_blocks(self, *types: str, view_error: str = INVALID_BLOCKS) -> None:
        """Reject block types, like a workspace to which they have not been rolled out.

        Messages with such a block fail with `invalid_blocks`, and views with `view_error`.
        """
        self.unsupported_blocks, self.unsupported_view_error = frozenset(types), view_error

    def clear(self) -> None:
        """Remove all faults, and let delayed and held calls continue."""
        self.failures.clear()
        self.delays.clear()
        self.garbage.clear()
        self.duplicate_deliveries = 0
        self.unsupported_blocks, self.unsupported_view_error = frozenset(), INVALID_BLOCKS
        for hold in self._holds.values():
            hold.release()
        self._holds.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    async def apply(self, method: str, *, after: bool = False) -> None:
        """Delay a call and raise `InjectedError`, if a fault applies before (or after) its processing."""
        if not after:
            await self._wait_for_release(method, after=False)
        delay = self.delays.get(method)
        if delay and delay.after is after:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._cleared.wait(), delay.seconds)
        fault = self.failures.get(method)
        if fault and fault.after is after:
            fault.times -= 1
            if fault.times <= 0:
                del self.failures[method]
            raise InjectedError(fault)

    def take_garbage(self, method: str) -> Garbage | None:
        """Return what is sent instead of a response of this method, if anything is."""
        garbage = self.garbage.get(method)
        if garbage:
            garbage.times -= 1
            if garbage.times <= 0:
                del self.garbage[method]
        return garbage

    async def hold_response(self, method: str) -> None:
        """Wait until no hold keeps the response of this method."""
        await self._wait_for_release(method, after=True)

    async def _wait_for_release(self, method: str, *, after: bool) -> None:
        if hold := self._holds.get((method, after)):
            await hold.wait()


def _check_method(method: str, *, after: bool) -> None:
    if after and method == SOCKET:
        raise ValueError(
            "A handshake has no response to affect: disconnect or freeze the connection instead."
        )

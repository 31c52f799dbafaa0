"""What goes wrong on request."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from http import HTTPStatus

from sandbox.slack.errors import SlackError

INVALID_BLOCKS = "invalid_blocks"
SOCKET = "socket"
"""What the handshake of Socket Mode is called here, beside the methods."""


@dataclass
class Fault:
    """A failure for the next calls of one method."""

    error: str
    """Slack's name of an error, or an HTTP status such as `503`."""
    times: int = 1
    retry_after: int = 1
    """Seconds, with `ratelimited`."""
    after: bool = False
    """Whether Slack does first what it was asked for."""

    @property
    def status(self) -> int:
        """The HTTP status that goes with it."""
        if self.error.isdigit():
            return int(self.error)
        return HTTPStatus.TOO_MANY_REQUESTS if self.error == "ratelimited" else HTTPStatus.OK


@dataclass(frozen=True)
class Delay:
    """How long every call of one method waits, before Slack acts or after."""

    seconds: float
    after: bool = False


class InjectedError(SlackError):
    """A failure that was asked for, with its HTTP status and headers."""

    def __init__(self, trouble: Fault) -> None:
        super().__init__(trouble.error)
        self.status = trouble.status
        limited = trouble.error == "ratelimited"
        self.headers = {"retry-after": str(trouble.retry_after)} if limited else {}


@dataclass
class Faults:
    """What the next calls and deliveries run into; nothing, to begin with.

    A method is one of the Web API, `response_url` or `socket`, the handshake of Socket Mode. With `after`,
    Slack does its work first (the message is posted), and only then its caller sees the error, or waits; what
    Slack refuses by itself does not count. A handshake has no afterwards.
    """

    failures: dict[str, Fault] = field(default_factory=dict)
    delays: dict[str, Delay] = field(default_factory=dict)
    duplicate_deliveries: int = 0
    """How many more times each delivery is made, at once and marked as a retry."""
    unsupported_blocks: frozenset[str] = frozenset()
    """Types of blocks that this workspace does not have yet."""
    unsupported_view_error: str = INVALID_BLOCKS
    """What views with such a block are refused with."""
    _cleared: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def fail(
        self, method: str, error: str, times: int = 1, retry_after: int = 1, *, after: bool = False
    ) -> None:
        """Let the next `times` calls of a method end in `error`: Slack's name for it, or an HTTP status."""
        _check(method, after=after)
        self.failures[method] = Fault(error, times, retry_after, after)

    def delay(self, method: str, seconds: float, *, after: bool = False) -> None:
        """Let every call of a method take that much longer."""
        _check(method, after=after)
        self.delays[method] = Delay(seconds, after)

    def disable_blocks(self, *kinds: str, view_error: str = INVALID_BLOCKS) -> None:
        """Be a workspace without these types of blocks, which come to some later than to others.

        Messages with one are refused with `invalid_blocks`, and views with `view_error`.
        """
        self.unsupported_blocks, self.unsupported_view_error = frozenset(kinds), view_error

    def clear(self) -> None:
        """Let everything go well again, calls that wait included."""
        self.failures.clear()
        self.delays.clear()
        self.duplicate_deliveries = 0
        self.unsupported_blocks, self.unsupported_view_error = frozenset(), INVALID_BLOCKS
        self._cleared.set()
        self._cleared = asyncio.Event()

    async def apply(self, method: str, *, after: bool = False) -> None:
        """Delay a call and raise `InjectedError`, where that was asked for."""
        delay = self.delays.get(method)
        if delay and delay.after is after:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._cleared.wait(), delay.seconds)
        trouble = self.failures.get(method)
        if trouble and trouble.after is after:
            trouble.times -= 1
            if trouble.times <= 0:
                del self.failures[method]
            raise InjectedError(trouble)


def _check(method: str, *, after: bool) -> None:
    if after and method == SOCKET:
        raise ValueError("A handshake has no afterwards: disconnect or freeze the connection instead.")

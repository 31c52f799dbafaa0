"""What goes wrong on request."""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus

from sandbox.slack.refusals import Refused


@dataclass
class Trouble:
    """A failure for the next calls of one method."""

    error: str
    """Slack's name of an error, or an HTTP status such as `503`."""
    times: int = 1
    retry_after: int = 1
    """Seconds, with `ratelimited`."""

    @property
    def status(self) -> int:
        """The HTTP status that goes with it."""
        if self.error.isdigit():
            return int(self.error)
        return HTTPStatus.TOO_MANY_REQUESTS if self.error == "ratelimited" else HTTPStatus.OK


class Forced(Refused):
    """A failure that was asked for, with its HTTP status and headers."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.error)
        self.status = trouble.status
        limited = trouble.error == "ratelimited"
        self.headers = {"retry-after": str(trouble.retry_after)} if limited else {}


@dataclass
class Troubles:
    """What the next calls and deliveries run into; nothing, to begin with."""

    failing: dict[str, Trouble] = field(default_factory=dict)
    latency: dict[str, float] = field(default_factory=dict)
    repeats: int = 0
    """How many more times each delivery is made, at once and marked as a retry."""

    def fail(self, method: str, error: str, times: int = 1, retry_after: int = 1) -> None:
        """Let the next `times` calls of a method (`response_url` is one too) end in `error`."""
        self.failing[method] = Trouble(error, times, retry_after)

    def slow(self, method: str, seconds: float) -> None:
        """Let every call of a method take that much longer."""
        self.latency[method] = seconds

    def clear(self) -> None:
        """Let everything go well again."""
        self.failing.clear()
        self.latency.clear()
        self.repeats = 0

    async def strike(self, method: str) -> None:
        """Delay a call and raise `Forced`, where that was asked for."""
        if seconds := self.latency.get(method):
            await asyncio.sleep(seconds)
        if trouble := self.failing.get(method):
            trouble.times -= 1
            if trouble.times <= 0:
                del self.failing[method]
            raise Forced(trouble)

"""What goes wrong on request."""

from dataclasses import dataclass, field


@dataclass
class Trouble:
    """A failure for the next calls of one method."""

    error: str
    """Slack's name of an error, or an HTTP status such as `503`."""
    times: int = 1
    retry_after: int = 1
    """Seconds, with `ratelimited`."""


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

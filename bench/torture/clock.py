"""One clock for the victims, X and Slack, which can leap: nothing waits for a lease in real time."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Number(Protocol):
    """A number in memory that processes share."""

    value: float


class LeapingClock:
    """Goes with the machine's clock, ahead of it by what the suite says.

    Args:
        ahead: seconds, shared by all processes.
    """

    def __init__(self, ahead: Number) -> None:
        self._ahead = ahead

    def __call__(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead.value)

    def leap(self, seconds: float) -> None:
        """Let time pass for everybody."""
        self._ahead.value += seconds

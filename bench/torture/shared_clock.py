"""A clock that the app's processes, the fake Slack and the fake X share, and that can jump ahead."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class SharedFloat(Protocol):
    """A number in shared memory, as made by `multiprocessing.Value`."""

    value: float


class SharedClock:
    """The system's clock plus an offset.

    Args:
        offset: seconds, in memory shared by all processes.
    """

    def __init__(self, offset: SharedFloat) -> None:
        self._offset = offset

    def __call__(self) -> datetime:
        """Return the current time."""
        return datetime.now(UTC) + timedelta(seconds=self._offset.value)

    def reset(self) -> None:
        """Show the system's time again."""
        self._offset.value = 0.0

    def advance(self, seconds: float) -> None:
        """Jump ahead in all processes."""
        self._offset.value += seconds

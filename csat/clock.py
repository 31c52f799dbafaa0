"""The current time, in UTC and aware, from a clock that tests can set."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

Clock = Callable[[], datetime]

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""In English whatever the locale, unlike strftime() and strptime()."""


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)

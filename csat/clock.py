"""The current time, in UTC and aware, from a clock that tests can set."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

Clock = Callable[[], datetime]

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""In English whatever the locale, unlike strftime() and strptime()."""


def format_day(day: date) -> str:
    """Return a day with its year as Slack writes it in English, like "Nov 3, 2026"."""
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)

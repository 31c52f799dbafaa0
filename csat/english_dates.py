"""Dates in English, whatever the locale."""

from datetime import UTC, date, datetime
from typing import Final

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""In English whatever the locale, unlike strftime() and strptime()."""


def format_day(day: date) -> str:
    """Return a day with its year as Slack writes it in English, like "Nov 3, 2026"."""
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def format_moment(moment: datetime) -> str:
    """Return an aware moment with its minute, like "Nov 3, 2026 at 13:31 UTC"."""
    utc = moment.astimezone(UTC)
    return f"{format_day(utc)} at {utc:%H:%M} UTC"

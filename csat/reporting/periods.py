"""What time a report is about: whole calendar days of a time zone, some of which have 23 or 25 hours."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from csat.surveys.frozen_model import FrozenModel

LONGEST = 731
"""Two years, one of them a leap year."""
MOST_POINTS = 20
"""A chart of Slack's has so many points, with labels of at most 20 characters."""
WEEK = 7

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Python's own names depend on the machine's language."""
_DAYS = re.compile(r"(?P<days>[0-9]{1,9}) ?(?:d|days?)?", re.IGNORECASE)
_DAY = "([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
_RANGE = re.compile(rf"{_DAY} ?(?:\.{{2,3}}|…) ?{_DAY}")


class InvalidPeriod(ValueError):
    """A report can't be about this; `str()` says what to choose instead."""


class Period(FrozenModel):
    """Days from the first to the last one, both included."""

    first: date
    last: date
    zone: ZoneInfo

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise PydanticCustomError("order", "the first day comes after the last")
        return self

    @property
    def begin(self) -> datetime:
        """The first moment, in UTC."""
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first moment after it, in UTC."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def label(self) -> str:
        """Its days without the year, in at most 13 characters: "3 Nov", "3-9 Nov", "28 Oct-3 Nov"."""
        if self.first == self.last:
            return _day(self.last)
        same_month = (self.first.year, self.first.month) == (self.last.year, self.last.month)
        return f"{self.first.day if same_month else _day(self.first)}-{_day(self.last)}"

    @property
    def title(self) -> str:
        """Its days in full, like "28 Oct 2026 to 3 Nov 2026"."""
        days = dict.fromkeys(f"{_day(day)} {day.year}" for day in (self.first, self.last))
        return " to ".join(days)

    def previous(self) -> "Period":
        """Return as many days before it."""
        return self._reaching(self.first - timedelta(days=1), self.days)

    def buckets(self, most: int = MOST_POINTS) -> tuple["Period", ...]:
        """Return it in parts for a trend, oldest first: days if there are at most so many, else whole weeks.

        Where single weeks would be too many, each part has two, three or as few more as are needed. All parts
        are equally long, but the oldest may be shorter.
        """
        step = 1 if self.days <= most else WEEK * _rounded_up(self.days, WEEK * most)
        return tuple(self._backwards(step))[::-1]

    def _backwards(self, step: int) -> Iterator["Period"]:
        for gone in range(0, self.days, step):
            yield self._reaching(self.last - timedelta(days=gone), min(step, self.days - gone))

    def _reaching(self, last: date, days: int) -> "Period":
        return Period(first=last - timedelta(days=days - 1), last=last, zone=self.zone)


def last_days(days: int, now: datetime, zone: ZoneInfo) -> Period:
    """Return so many days up to and with today."""
    today = _today(now, zone)
    return Period(first=today - timedelta(days=days - 1), last=today, zone=zone)


def last_week(now: datetime, zone: ZoneInfo) -> Period:
    """Return the last whole week, from Monday to Sunday."""
    today = _today(now, zone)
    sunday = today - timedelta(days=today.isoweekday())
    return Period(first=sunday - timedelta(days=WEEK - 1), last=sunday, zone=zone)


def custom(first: date, last: date, now: datetime, zone: ZoneInfo) -> Period:
    """Return the period that somebody chose; raises `InvalidPeriod` beyond what a report can cover."""
    if first > last:
        raise InvalidPeriod(f"The first day comes first: {last}..{first}.")
    if last > _today(now, zone):
        raise InvalidPeriod("That day is still to come: choose a last day up to today.")
    period = Period(first=first, last=last, zone=zone)
    if period.days > LONGEST:
        raise InvalidPeriod("A report covers two years at most: choose a shorter period.")
    return period


def parse_period(text: str, now: datetime, zone: ZoneInfo) -> Period:
    """Read "30d", "30" or "2026-09-01..2026-09-30", as a person types it; raises `InvalidPeriod`."""
    if found := _DAYS.fullmatch(text.strip()):
        return _so_many(int(found["days"]), now, zone)
    if found := _RANGE.fullmatch(text.strip()):
        year, month, day, *last = (int(number) for number in found.groups())
        return custom(_date(year, month, day), _date(*last), now, zone)
    raise InvalidPeriod("Name a period like 30d, or like 2026-09-01..2026-09-30.")


def _so_many(days: int, now: datetime, zone: ZoneInfo) -> Period:
    if not 1 <= days <= LONGEST:
        raise InvalidPeriod(f"A report covers 1 to {LONGEST} days, like 30d.")
    return last_days(days, now, zone)


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise InvalidPeriod(f"There is no {year:04}-{month:02}-{day:02} in the calendar.") from error


def _today(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # also the day's first moment where clocks skip midnight, or show it twice (PEP 495, fold=0)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"


def _rounded_up(number: int, by: int) -> int:
    return -(-number // by)

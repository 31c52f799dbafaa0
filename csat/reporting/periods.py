"""Report periods: whole calendar days in a time zone, which may have 23 or 25 hours."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from csat.english_dates import MONTHS, format_day
from csat.surveys.frozen_model import FrozenModel

MAX_DAYS = 731
"""Two years, one of them a leap year."""
FIRST_YEAR = 2006
"""X, then Twitter, began in this year."""
MAX_BUCKETS = 20
"""Slack's limit for the points of a chart; their labels have at most 20 characters."""
DAYS_PER_WEEK = 7
EXAMPLES = "Enter one like 30d, last week, 2026-11, or 2026-09-01..2026-09-30."
MAX_QUOTED_LENGTH = 40

_DAYS = re.compile(r"(?P<number>[0-9]{1,9}) ?(?P<unit>d|days?|w|weeks?|y|years?)?", re.IGNORECASE)
_DAYS_PER_UNIT = {"d": 1, "w": DAYS_PER_WEEK, "y": 365}
_DATE = "([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
_DAY = re.compile(_DATE)
_YEAR = re.compile("(?:19|20)[0-9]{2}")
"""No number of days: it would be too large."""
_MONTH = re.compile("(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})")
_RANGE = re.compile(rf"{_DATE} ?(?:\.{{2,3}}|…) ?{_DATE}")


class InvalidPeriod(ValueError):
    """A report can't cover this period; `str()` says what to choose instead."""


class Period(FrozenModel):
    """The days from the first to the last, both included."""

    # the ends of the calendar have no previous period, and no midnight in every time zone
    first: date = Field(ge=date(1900, 1, 1))
    last: date = Field(le=date(2999, 12, 31))
    zone: ZoneInfo

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.first > self.last:
            raise PydanticCustomError("order", "the first day comes after the last")
        return self

    @property
    def begin(self) -> datetime:
        """The start of the first day, in UTC."""
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The end of the last day, in UTC and excluded."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.last - self.first).days + 1

    @property
    def label(self) -> str:
        """The days without the year, in at most 13 characters: "Nov 3", "Nov 3-9", "Oct 28-Nov 3"."""
        return "-".join(self._ends)

    @property
    def title(self) -> str:
        """The days with the year, like "Oct 28 to Nov 3, 2026"."""
        if self.first.year != self.last.year:
            return f"{format_day(self.first)} to {format_day(self.last)}"
        return f"{' to '.join(self._ends)}, {self.last.year}"

    @property
    def _ends(self) -> list[str]:
        """The first day and the last one, without what they share."""
        first, last = (f"{MONTHS[day.month - 1]} {day.day}" for day in (self.first, self.last))
        if self.first == self.last:
            return [last]
        same_month = (self.first.year, self.first.month) == (self.last.year, self.last.month)
        return [first, str(self.last.day) if same_month else last]

    def previous(self) -> "Period":
        """Return the period of the same length just before this one."""
        return self._ending(self.first - timedelta(days=1), self.days)

    def buckets(self, max_buckets: int = MAX_BUCKETS) -> tuple["Period", ...]:
        """Split the period for a trend, oldest first: into days if there are few enough, else into weeks.

        If there are too many weeks, each bucket has two weeks or more. All buckets have the same length,
        except that the oldest also has the days that are left over: a few days alone would look like a trend.
        """
        step = 1
        if self.days > max_buckets:
            step = DAYS_PER_WEEK * _ceil_div(self.days, DAYS_PER_WEEK * max_buckets)
        newer_days = step * max(self.days // step - 1, 0)
        newer = [self._ending(self.last - timedelta(days=days), step) for days in range(0, newer_days, step)]
        oldest = self._ending(self.last - timedelta(days=newer_days), self.days - newer_days)
        return (oldest, *reversed(newer))

    def _ending(self, last: date, days: int) -> "Period":
        return Period(first=last - timedelta(days=days - 1), last=last, zone=self.zone)


def last_days(days: int, now: datetime, zone: ZoneInfo) -> Period:
    """Return the last `days` days, including today."""
    today = _today(now, zone)
    return Period(first=today - timedelta(days=days - 1), last=today, zone=zone)


def last_week(now: datetime, zone: ZoneInfo) -> Period:
    """Return the last complete week, Monday to Sunday."""
    today = _today(now, zone)
    sunday = today - timedelta(days=today.isoweekday())
    return Period(first=sunday - timedelta(days=DAYS_PER_WEEK - 1), last=sunday, zone=zone)


def custom_period(first: date, last: date, now: datetime, zone: ZoneInfo) -> Period:
    """Return the period between two dates; raises `InvalidPeriod` if a report can't cover it."""
    if first > last:
        raise InvalidPeriod("Put the first day first: choose an earlier first day, or a later last day.")
    if last > _today(now, zone):
        raise InvalidPeriod("The last day is in the future. Choose today or an earlier day.")
    if first.year < FIRST_YEAR:
        raise InvalidPeriod(f"There are no surveys before {FIRST_YEAR}. Choose a later first day.")
    period = Period(first=first, last=last, zone=zone)
    if period.days > MAX_DAYS:
        raise InvalidPeriod("A report covers at most two years. Choose a shorter period.")
    return period


def parse_period(text: str, now: datetime, zone: ZoneInfo) -> Period:
    """Parse "30d", "12w", "last week", "2026-09-01..2026-09-30", "2026-09-27", or "2026-09", up to today.

    Raises `InvalidPeriod`.
    """
    if days := _named_periods(_today(now, zone)).get(" ".join(text.lower().split())):
        return custom_period(*days, now, zone)
    if match := _YEAR.fullmatch(text.strip()):
        return _up_to_today(date(int(match[0]), 1, 1), date(int(match[0]), 12, 31), now, zone)
    if match := _MONTH.fullmatch(text.strip()):
        return _parse_month(match, now, zone)
    if match := _DAY.fullmatch(text.strip()):
        only = _parse_date(*(int(number) for number in match.groups()))
        return custom_period(only, only, now, zone)
    if match := _DAYS.fullmatch(text.strip()):
        unit = (match["unit"] or "d")[0].lower()
        return _parse_days(int(match["number"]) * _DAYS_PER_UNIT[unit], now, zone)
    if match := _RANGE.fullmatch(text.strip()):
        year, month, day, *end = (int(number) for number in match.groups())
        first, last = _parse_date(year, month, day), _parse_date(*end)
        if first > last:
            raise InvalidPeriod(f"Put the first day first, like {last}..{first}.")
        return custom_period(first, last, now, zone)
    raise InvalidPeriod(f"“{text.strip():.{MAX_QUOTED_LENGTH}}” isn't a period. {EXAMPLES}")


def _named_periods(today: date) -> dict[str, tuple[date, date]]:
    """Return the first and the last day of each period that has a name; the current ones end today."""
    day, monday, month = timedelta(days=1), today - timedelta(days=today.weekday()), today.replace(day=1)
    return {
        "today": (today, today),
        "yesterday": (today - day, today - day),
        "this week": (monday, today),
        "last week": (monday - timedelta(days=DAYS_PER_WEEK), monday - day),
        "this month": (month, today),
        "last month": ((month - day).replace(day=1), month - day),
        "this year": (today.replace(month=1, day=1), today),
        "last year": (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    }


def _parse_days(days: int, now: datetime, zone: ZoneInfo) -> Period:
    if not 1 <= days <= MAX_DAYS:
        raise InvalidPeriod(f"A report covers 1 to {MAX_DAYS} days. Enter a period like 30d.")
    return last_days(days, now, zone)


def _parse_month(match: re.Match[str], now: datetime, zone: ZoneInfo) -> Period:
    try:
        first = date(int(match["year"]), int(match["month"]), 1)
    except ValueError as error:
        raise InvalidPeriod(f"{match[0]} isn't a month.") from error
    return _up_to_today(first, first.replace(day=monthrange(first.year, first.month)[1]), now, zone)


def _up_to_today(first: date, last: date, now: datetime, zone: ZoneInfo) -> Period:
    return custom_period(first, max(first, min(last, _today(now, zone))), now, zone)


def _parse_date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise InvalidPeriod(f"{year:04}-{month:02}-{day:02} isn't a date in the calendar.") from error


def _today(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # the start of the day also where clocks skip midnight or repeat it (PEP 495, fold=0)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _ceil_div(number: int, divisor: int) -> int:
    return -(-number // divisor)

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from csat.reporting.periods import (
    MAX_DAYS,
    InvalidPeriod,
    Period,
    custom_period,
    last_days,
    last_week,
    parse_period,
)
from tests.strategies import FEW_EXAMPLES, TEXT

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
HAVANA = ZoneInfo("America/Havana")
"""Where clocks skip midnight in spring, and show it twice in autumn."""
AUCKLAND = ZoneInfo("Pacific/Auckland")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
"""Where clocks are changed by half an hour."""
ZONES = [ZoneInfo("UTC"), BERLIN, NEW_YORK, HAVANA, AUCKLAND, LORD_HOWE, ZoneInfo("Asia/Kathmandu")]
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)
EVENING = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
"""A Sunday in London and in New York, already Monday in Berlin."""

ANY_ZONE = st.sampled_from(ZONES)
ANY_DAY = st.dates(date(2012, 1, 1), date(2035, 12, 31))
PERIODS = st.builds(
    lambda last, days, zone: Period(first=last - (days - 1) * DAY, last=last, zone=zone),
    ANY_DAY,
    st.integers(1, 40) | st.integers(1, MAX_DAYS),
    ANY_ZONE,
)
NOWS = st.datetimes(datetime(2012, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def make_period(first: str, last: str, zone: ZoneInfo = BERLIN) -> Period:
    """Return the period between two dates."""
    return Period(first=date.fromisoformat(first), last=date.fromisoformat(last), zone=zone)


def utc(text: str) -> datetime:
    """Return a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_period_begins_and_ends_at_midnight_in_its_zone() -> None:
    november = make_period("2026-11-01", "2026-11-30")

    assert november.begin == utc("2026-10-31 23:00")
    assert november.end == utc("2026-11-30 23:00")
    assert november.begin.tzinfo is november.end.tzinfo is UTC
    assert november.days == 30


@pytest.mark.parametrize(
    ("zone", "day", "begin", "hours"),
    [
        (BERLIN, "2026-03-29", "2026-03-28 23:00", 23),
        (BERLIN, "2026-10-25", "2026-10-24 22:00", 25),
        (NEW_YORK, "2026-03-08", "2026-03-08 05:00", 23),
        (NEW_YORK, "2026-11-01", "2026-11-01 04:00", 25),
        (NEW_YORK, "2026-11-02", "2026-11-02 05:00", 24),
        (HAVANA, "2026-03-08", "2026-03-08 05:00", 23),
        (HAVANA, "2026-11-01", "2026-11-01 04:00", 25),
        (LORD_HOWE, "2026-10-04", "2026-10-03 13:30", 23.5),
    ],
)
def test_a_day_with_a_clock_change_does_not_have_24_hours(
    zone: ZoneInfo, day: str, begin: str, hours: float
) -> None:
    changed = make_period(day, day, zone)

    assert changed.begin == utc(begin)
    assert changed.end - changed.begin == hours * HOUR


@given(PERIODS)
def test_begin_and_end_are_the_exact_bounds_of_the_first_and_last_day(period: Period) -> None:
    assert period.begin.astimezone(period.zone).date() == period.first
    assert (period.begin - MOMENT).astimezone(period.zone).date() == period.first - DAY
    assert (period.end - MOMENT).astimezone(period.zone).date() == period.last
    assert period.end.astimezone(period.zone).date() == period.last + DAY


@given(PERIODS)
def test_the_previous_period_has_the_same_length_and_ends_where_the_period_begins(period: Period) -> None:
    previous = period.previous()

    assert previous.days == period.days
    assert previous.end == period.begin
    assert previous.zone == period.zone


def test_the_previous_period_may_have_more_hours_but_not_more_days() -> None:
    after = make_period("2026-10-26", "2026-11-01")

    assert after.previous() == make_period("2026-10-19", "2026-10-25")
    assert after.end - after.begin == 7 * DAY
    assert after.previous().end - after.previous().begin == 7 * DAY + HOUR


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [(BERLIN, "2026-11-17", "2026-11-23"), (NEW_YORK, "2026-11-16", "2026-11-22")],
)
def test_the_last_7_days_end_today_in_the_reader_s_zone(zone: ZoneInfo, first: str, last: str) -> None:
    assert last_days(7, EVENING, zone) == make_period(first, last, zone)


def test_the_last_day_is_today() -> None:
    assert last_days(1, EVENING, NEW_YORK) == make_period("2026-11-22", "2026-11-22", NEW_YORK)


def test_a_period_of_no_days_is_an_error() -> None:
    with pytest.raises(ValidationError):
        last_days(0, EVENING, BERLIN)


@given(st.integers(1, MAX_DAYS), NOWS, ANY_ZONE)
def test_now_is_on_the_last_of_the_last_days(days: int, now: datetime, zone: ZoneInfo) -> None:
    recent = last_days(days, now, zone)

    assert recent.days == days
    assert recent.begin <= now < recent.end
    assert make_period(str(recent.last), str(recent.last), zone).begin <= now


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        ("2026-11-22 22:59", "2026-11-09", "2026-11-15"),  # Sunday evening in Berlin
        ("2026-11-22 23:00", "2026-11-16", "2026-11-22"),  # Monday, 0:00
        ("2026-11-23 08:00", "2026-11-16", "2026-11-22"),  # Monday, 9:00: the digest
        ("2026-11-29 12:00", "2026-11-16", "2026-11-22"),
        ("2027-01-04 12:00", "2026-12-28", "2027-01-03"),
    ],
)
def test_last_week_is_from_monday_to_sunday(now: str, first: str, last: str) -> None:
    assert last_week(utc(now), BERLIN) == make_period(first, last)


@given(NOWS, ANY_ZONE)
def test_last_week_has_seven_days_and_ended_less_than_a_week_ago(now: datetime, zone: ZoneInfo) -> None:
    week = last_week(now, zone)

    assert week.days == 7
    assert week.first.isoweekday() == 1
    assert week.end <= now < week.end + 7 * DAY + HOUR


@pytest.mark.parametrize(
    ("days", "points", "usual", "oldest"),
    [
        (1, 1, 1, 1),
        (7, 7, 1, 1),
        (20, 20, 1, 1),
        (21, 3, 7, 7),
        (27, 3, 7, 13),
        (30, 4, 7, 9),
        (90, 12, 7, 13),
        (140, 20, 7, 7),
        (141, 10, 14, 15),
        (365, 17, 21, 29),
        (731, 17, 42, 59),
    ],
)
def test_a_trend_has_days_or_the_shortest_weeks_that_fit_a_chart(
    days: int, points: int, usual: int, oldest: int
) -> None:
    buckets = last_days(days, EVENING, BERLIN).buckets()

    assert len(buckets) == points
    assert buckets[-1].days == usual
    assert buckets[0].days == oldest


@given(PERIODS, st.integers(1, 30))
def test_buckets_cover_the_period_exactly(period: Period, max_buckets: int) -> None:
    buckets = period.buckets(max_buckets)

    assert len(buckets) <= max_buckets
    assert (buckets[0].begin, buckets[-1].end) == (period.begin, period.end)
    assert all(earlier.end == later.begin for earlier, later in pairwise(buckets))
    assert len({bucket.days for bucket in buckets[1:]}) <= 1
    assert buckets[-1].days <= buckets[0].days
    assert len(buckets) == 1 or buckets[0].days < 2 * buckets[-1].days


@given(PERIODS)
def test_bucket_labels_fit_a_chart_and_are_distinct(period: Period) -> None:
    labels = [bucket.label for bucket in period.buckets()]

    assert max(map(len, labels)) <= 20
    assert len(set(labels)) == len(labels) <= 20


@pytest.mark.parametrize(
    ("first", "last", "label", "title"),
    [
        ("2026-11-03", "2026-11-03", "Nov 3", "Nov 3, 2026"),
        ("2026-11-03", "2026-11-09", "Nov 3-9", "Nov 3 to 9, 2026"),
        ("2026-10-28", "2026-11-03", "Oct 28-Nov 3", "Oct 28 to Nov 3, 2026"),
        ("2025-12-29", "2026-01-04", "Dec 29-Jan 4", "Dec 29, 2025 to Jan 4, 2026"),
        ("2025-11-03", "2026-11-09", "Nov 3-Nov 9", "Nov 3, 2025 to Nov 9, 2026"),
    ],
)
def test_a_period_has_a_label_and_a_title(first: str, last: str, label: str, title: str) -> None:
    assert make_period(first, last).label == label
    assert make_period(first, last).title == title


def test_every_month_has_a_name() -> None:
    names = [make_period(f"2026-{month:02}-01", f"2026-{month:02}-01").label for month in range(1, 13)]

    assert " ".join(names).replace(" 1", "") == "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"


@pytest.mark.parametrize("text", ["30d", "30", "30D", " 30 d ", "30 days", "030d"])
def test_a_number_of_days_is_parsed_in_every_spelling(text: str) -> None:
    assert parse_period(text, EVENING, BERLIN) == last_days(30, EVENING, BERLIN)


def test_one_day_is_parsed() -> None:
    assert parse_period("1 day", EVENING, BERLIN) == last_days(1, EVENING, BERLIN)


@pytest.mark.parametrize(
    ("text", "days"), [("12w", 84), ("1 week", 7), ("2 Weeks", 14), ("2y", 730), ("1 year", 365)]
)
def test_weeks_and_years_are_parsed_as_days(text: str, days: int) -> None:
    assert parse_period(text, EVENING, BERLIN) == last_days(days, EVENING, BERLIN)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", "2026-11-23", "2026-11-23"),
        ("Yesterday", "2026-11-22", "2026-11-22"),
        ("this week", "2026-11-23", "2026-11-23"),  # it is Monday
        ("last week", "2026-11-16", "2026-11-22"),
        ("this month", "2026-11-01", "2026-11-23"),
        (" Last  month ", "2026-10-01", "2026-10-31"),
        ("this year", "2026-01-01", "2026-11-23"),
        ("last year", "2025-01-01", "2025-12-31"),
    ],
)
def test_days_weeks_and_months_have_names(text: str, first: str, last: str) -> None:
    assert parse_period(text, EVENING, BERLIN) == make_period(first, last)


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01..2026-09-30",
        "2026-9-1 .. 2026-9-30",
        "2026-09-01...2026-09-30",
        "2026-09-01…2026-09-30",  # phones replace three dots with an ellipsis
    ],
)
def test_two_dates_are_parsed(text: str) -> None:
    assert parse_period(text, EVENING, NEW_YORK) == make_period("2026-09-01", "2026-09-30", NEW_YORK)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-09", "2026-09-01", "2026-09-30"),
        (" 2026-2 ", "2026-02-01", "2026-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2025-12", "2025-12-01", "2025-12-31"),
        ("2026-11", "2026-11-01", "2026-11-23"),  # up to today
        ("2026-9-7", "2026-09-07", "2026-09-07"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("2026", "2026-01-01", "2026-11-23"),
        ("2026-11-23", "2026-11-23", "2026-11-23"),
    ],
)
def test_a_year_a_month_and_a_day_are_parsed(text: str, first: str, last: str) -> None:
    assert parse_period(text, EVENING, BERLIN) == make_period(first, last)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "like 30d, last week, 2026-11, or 2026"),
        ("soon", "like 30d, last week, 2026-11, or 2026"),
        ("-7d", "like 30d, last week, 2026-11, or 2026"),
        ("\u0663\u0660d", "like 30d, last week, 2026-11, or 2026"),
        ("7d npss", "“7d npss” isn't a period. Enter one like 30d, last week, 2026-11, or 2026"),
        ("2026-9-1-1", "like 30d, last week, 2026-11, or 2026"),
        ("2026-13", r"2026-13 isn't a month\."),
        ("2026-0", r"2026-0 isn't a month\."),
        ("0000-05", r"0000-05 isn't a month\."),
        ("2026-02-30", r"2026-02-30 isn't a date in the calendar\."),
        ("2026-12", "in the future"),
        ("2027", "in the future"),
        ("2005", "no surveys before 2006"),
        ("9999-12", "in the future"),
        ("2026-11-24", "in the future"),
        ("2005-12", "no surveys before 2006"),
        ("2026-09-01.2026-09-30", "like 30d, last week, 2026-11, or 2026"),
        ("9" * 5_000, "like 30d, last week, 2026-11, or 2026"),
        ("0d", "1 to 731 days"),
        ("3y", "1 to 731 days"),
        ("732d", "1 to 731 days"),
        ("999999999", "1 to 731 days"),
        ("2026-02-30..2026-03-30", r"2026-02-30 isn't a date in the calendar\."),
        ("2026-09-01..2026-13-01", r"2026-13-01 isn't a date in the calendar\."),
        ("0000-01-01..2026-01-01", r"0000-01-01 isn't a date in the calendar\."),
        ("2026-09-30..2026-09-01", r"Put the first day first, like 2026-09-01\.\.2026-09-30\."),
        ("2026-09-01..2026-11-24", "in the future"),
        ("2024-01-01..2026-11-23", "at most two years"),
        ("0001-01-01..0001-01-31", r"no surveys before 2006"),
        ("0001-01-01..2026-11-23", r"no surveys before 2006"),
        ("2005-12-31..2006-01-31", r"no surveys before 2006"),
        ("9999-12-01..9999-12-31", "in the future"),
        ("2024-11-22..2026-11-23", "at most two years"),
    ],
)
def test_an_invalid_period_says_what_to_do(text: str, advice: str) -> None:
    with pytest.raises(InvalidPeriod, match=advice):
        parse_period(text, EVENING, BERLIN)


def test_the_longest_period_is_two_years_up_to_today() -> None:
    assert custom_period(date(2024, 11, 23), date(2026, 11, 23), EVENING, BERLIN).days == MAX_DAYS
    assert parse_period("731d", EVENING, BERLIN).days == MAX_DAYS


def test_today_depends_on_the_reader_s_zone() -> None:
    today = date(2026, 11, 23)

    assert custom_period(today, today, EVENING, BERLIN).days == 1
    with pytest.raises(InvalidPeriod, match="in the future"):
        custom_period(today, today, EVENING, NEW_YORK)


RANGES = st.builds(
    lambda day, days: f"{day}..{min(day, date.max - days * DAY) + days * DAY}",
    st.dates() | st.dates(max_value=date(3, 1, 1)) | st.dates(date(2004, 1, 1), date(2007, 1, 1)),
    st.integers(0, MAX_DAYS),
)


@settings(max_examples=FEW_EXAMPLES)
@given(
    TEXT | st.text("0123456789-. d", max_size=22) | RANGES,
    st.sampled_from([*ZONES, ZoneInfo("Etc/GMT-14"), ZoneInfo("Etc/GMT+12")]),
)
@example("0001-01-01..0001-12-31", BERLIN)
@example("9999-12", BERLIN)
@example("0001-01", BERLIN)
@example("9998-01-01..9999-12-31", NEW_YORK)
def test_any_text_is_a_period_whose_report_can_be_made_or_an_invalid_one(text: str, zone: ZoneInfo) -> None:
    try:
        period = parse_period(text, EVENING, zone)
    except InvalidPeriod:
        return

    assert 1 <= period.days <= MAX_DAYS
    assert period.last <= date(2026, 11, 23)
    assert period.previous().begin < period.begin < period.end
    assert period.buckets()[0].begin == period.begin


@pytest.mark.parametrize(("first", "last"), [("0001-01-01", "0001-01-02"), ("9999-12-30", "9999-12-31")])
def test_a_stored_period_at_an_end_of_the_calendar_is_invalid(first: str, last: str) -> None:
    with pytest.raises(ValidationError):
        make_period(first, last)


def test_a_period_is_immutable_and_hashable() -> None:
    assert {make_period("2026-11-03", "2026-11-09")} == {make_period("2026-11-03", "2026-11-09")}
    with pytest.raises(ValidationError):
        make_period("2026-11-03", "2026-11-09").first = date(2026, 1, 1)  # type: ignore[misc]

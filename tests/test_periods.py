from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
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
from tests.strategies import TEXT

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


def period(first: str, last: str, zone: ZoneInfo = BERLIN) -> Period:
    """Return a period by its days."""
    return Period(first=date.fromisoformat(first), last=date.fromisoformat(last), zone=zone)


def utc(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_period_goes_from_midnight_to_midnight_of_its_zone() -> None:
    november = period("2026-11-01", "2026-11-30")

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
def test_a_day_on_which_clocks_are_changed_has_other_than_24_hours(
    zone: ZoneInfo, day: str, begin: str, hours: float
) -> None:
    changed = period(day, day, zone)

    assert changed.begin == utc(begin)
    assert changed.end - changed.begin == hours * HOUR


@given(PERIODS)
def test_its_first_moment_is_on_its_first_day_and_the_one_before_is_not(one: Period) -> None:
    assert one.begin.astimezone(one.zone).date() == one.first
    assert (one.begin - MOMENT).astimezone(one.zone).date() == one.first - DAY
    assert (one.end - MOMENT).astimezone(one.zone).date() == one.last
    assert one.end.astimezone(one.zone).date() == one.last + DAY


@given(PERIODS)
def test_the_period_before_has_as_many_days_and_ends_where_it_begins(one: Period) -> None:
    before = one.previous()

    assert before.days == one.days
    assert before.end == one.begin
    assert before.zone == one.zone


def test_the_period_before_has_as_many_days_though_not_as_many_hours() -> None:
    after = period("2026-10-26", "2026-11-01")

    assert after.previous() == period("2026-10-19", "2026-10-25")
    assert after.end - after.begin == 7 * DAY
    assert after.previous().end - after.previous().begin == 7 * DAY + HOUR


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [(BERLIN, "2026-11-17", "2026-11-23"), (NEW_YORK, "2026-11-16", "2026-11-22")],
)
def test_the_last_7_days_are_those_up_to_today_where_the_reader_lives(
    zone: ZoneInfo, first: str, last: str
) -> None:
    assert last_days(7, EVENING, zone) == period(first, last, zone)


def test_the_last_day_is_today() -> None:
    assert last_days(1, EVENING, NEW_YORK) == period("2026-11-22", "2026-11-22", NEW_YORK)


def test_no_day_is_no_period() -> None:
    with pytest.raises(ValidationError):
        last_days(0, EVENING, BERLIN)


@given(st.integers(1, MAX_DAYS), NOWS, ANY_ZONE)
def test_the_last_days_hold_the_present_moment_in_their_last_day(
    days: int, now: datetime, zone: ZoneInfo
) -> None:
    recent = last_days(days, now, zone)

    assert recent.days == days
    assert recent.begin <= now < recent.end
    assert period(str(recent.last), str(recent.last), zone).begin <= now


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
def test_last_week_is_from_monday_to_monday(now: str, first: str, last: str) -> None:
    assert last_week(utc(now), BERLIN) == period(first, last)


@given(NOWS, ANY_ZONE)
def test_last_week_is_seven_days_that_ended_less_than_a_week_ago(now: datetime, zone: ZoneInfo) -> None:
    week = last_week(now, zone)

    assert week.days == 7
    assert week.first.isoweekday() == 1
    assert week.end <= now < week.end + 7 * DAY + HOUR


@pytest.mark.parametrize(
    ("days", "points", "longest", "oldest"),
    [
        (1, 1, 1, 1),
        (7, 7, 1, 1),
        (20, 20, 1, 1),
        (21, 3, 7, 7),
        (30, 5, 7, 2),
        (90, 13, 7, 6),
        (140, 20, 7, 7),
        (141, 11, 14, 1),
        (365, 18, 21, 8),
        (731, 18, 42, 17),
    ],
)
def test_a_trend_has_days_or_else_as_few_whole_weeks_as_fit_a_chart(
    days: int, points: int, longest: int, oldest: int
) -> None:
    parts = last_days(days, EVENING, BERLIN).buckets()

    assert len(parts) == points
    assert parts[-1].days == longest
    assert parts[0].days == oldest


@given(PERIODS, st.integers(1, 30))
def test_the_parts_of_a_trend_cover_the_period_exactly(one: Period, most: int) -> None:
    parts = one.buckets(most)

    assert len(parts) <= most
    assert (parts[0].begin, parts[-1].end) == (one.begin, one.end)
    assert all(earlier.end == later.begin for earlier, later in pairwise(parts))
    assert len({part.days for part in parts[1:]}) <= 1
    assert parts[0].days <= parts[-1].days


@given(PERIODS)
def test_the_labels_of_a_trend_fit_a_chart_and_differ(one: Period) -> None:
    labels = [part.label for part in one.buckets()]

    assert max(map(len, labels)) <= 20
    assert len(set(labels)) == len(labels) <= 20


@pytest.mark.parametrize(
    ("first", "last", "label", "title"),
    [
        ("2026-11-03", "2026-11-03", "3 Nov", "3 Nov 2026"),
        ("2026-11-03", "2026-11-09", "3-9 Nov", "3 Nov 2026 to 9 Nov 2026"),
        ("2026-10-28", "2026-11-03", "28 Oct-3 Nov", "28 Oct 2026 to 3 Nov 2026"),
        ("2025-12-29", "2026-01-04", "29 Dec-4 Jan", "29 Dec 2025 to 4 Jan 2026"),
        ("2025-11-03", "2026-11-09", "3 Nov-9 Nov", "3 Nov 2025 to 9 Nov 2026"),
    ],
)
def test_a_period_is_named_by_its_days(first: str, last: str, label: str, title: str) -> None:
    assert period(first, last).label == label
    assert period(first, last).title == title


def test_every_month_has_its_name() -> None:
    names = [period(f"2026-{month:02}-01", f"2026-{month:02}-01").label for month in range(1, 13)]

    assert " ".join(names).replace("1 ", "") == "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"


@pytest.mark.parametrize("text", ["30d", "30", "30D", " 30 d ", "30 days", "030d"])
def test_days_are_read_as_people_type_them(text: str) -> None:
    assert parse_period(text, EVENING, BERLIN) == last_days(30, EVENING, BERLIN)


def test_one_day_is_read() -> None:
    assert parse_period("1 day", EVENING, BERLIN) == last_days(1, EVENING, BERLIN)


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01..2026-09-30",
        "2026-9-1 .. 2026-9-30",
        "2026-09-01...2026-09-30",
        "2026-09-01…2026-09-30",  # what phones make of three dots
    ],
)
def test_a_first_and_a_last_day_are_read(text: str) -> None:
    assert parse_period(text, EVENING, NEW_YORK) == period("2026-09-01", "2026-09-30", NEW_YORK)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "like 30d, or like 2026"),
        ("soon", "like 30d, or like 2026"),
        ("-7d", "like 30d, or like 2026"),
        ("\u0663\u0660d", "like 30d, or like 2026"),
        ("7d nps", "like 30d, or like 2026"),
        ("2026-09-01", "like 30d, or like 2026"),
        ("2026-09-01.2026-09-30", "like 30d, or like 2026"),
        ("9" * 5_000, "like 30d, or like 2026"),
        ("0d", "1 to 731 days"),
        ("732d", "1 to 731 days"),
        ("999999999", "1 to 731 days"),
        ("2026-02-30..2026-03-30", r"2026-02-30 is not a date in the calendar\."),
        ("2026-09-01..2026-13-01", r"2026-13-01 is not a date in the calendar\."),
        ("0000-01-01..2026-01-01", r"0000-01-01 is not a date in the calendar\."),
        ("2026-09-30..2026-09-01", r"Put the first day first, like 2026-09-01\.\.2026-09-30\."),
        ("2026-09-01..2026-11-24", "in the future"),
        ("0001-01-01..2026-11-23", "at most two years"),
        ("2024-11-22..2026-11-23", "at most two years"),
    ],
)
def test_what_no_report_can_be_about_is_refused_with_advice(text: str, advice: str) -> None:
    with pytest.raises(InvalidPeriod, match=advice):
        parse_period(text, EVENING, BERLIN)


def test_two_years_up_to_today_are_the_longest_period() -> None:
    assert custom_period(date(2024, 11, 23), date(2026, 11, 23), EVENING, BERLIN).days == MAX_DAYS
    assert parse_period("731d", EVENING, BERLIN).days == MAX_DAYS


def test_today_is_the_reader_s_own() -> None:
    today = date(2026, 11, 23)

    assert custom_period(today, today, EVENING, BERLIN).days == 1
    with pytest.raises(InvalidPeriod, match="in the future"):
        custom_period(today, today, EVENING, NEW_YORK)


@given(TEXT | st.text("0123456789-. d", max_size=22) | st.builds("{}..{}".format, st.dates(), ANY_DAY))
def test_whatever_is_typed_is_a_period_or_no_period(text: str) -> None:
    try:
        read = parse_period(text, EVENING, BERLIN)
    except InvalidPeriod:
        return

    assert 1 <= read.days <= MAX_DAYS
    assert read.last <= date(2026, 11, 23)


def test_a_period_is_frozen_and_can_be_a_key() -> None:
    assert {period("2026-11-03", "2026-11-09")} == {period("2026-11-03", "2026-11-09")}
    with pytest.raises(ValidationError):
        period("2026-11-03", "2026-11-09").first = date(2026, 1, 1)  # type: ignore[misc]

"""The report's queries agree with a few lines of plain Python."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from csat.db.database import Database
from csat.db.tables import follow_ups
from csat.reporting.periods import Period
from csat.reporting.report_builder import fetch_report
from csat.reporting.report_model import (
    MAX_COMMENTS,
    Bucket,
    Filters,
    FollowUpCounts,
    RecentComment,
    Report,
    Tally,
)
from csat.surveys.questions import SCALES, Metric
from csat.surveys.responses import is_low
from csat.surveys.states import State
from csat.surveys.transports import TransportName
from tests.factories import make_row, replace_surveys
from tests.strategies import FEW_EXAMPLES

Row = dict[str, Any]
T = TypeVar("T")

TEAMS, AGENTS, CHANNELS = ("T1", "T2"), ("U1", "U2", "U3"), ("C1", "C2")
ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/Havana", "Asia/Kathmandu")]
DELIVERED = (State.SENT, State.ANSWERED, State.EXPIRED)
MOMENT = timedelta(microseconds=1)
DAYS_TO_ANSWER = timedelta(days=14)
CLOCK_CHANGES = (date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1))
"""Days with a clock change in one of the zones."""

PERIODS = st.builds(
    lambda day, after, days, zone: Period(
        first=day + timedelta(days=after + 1 - days), last=day + timedelta(days=after), zone=zone
    ),
    st.sampled_from(CLOCK_CHANGES),
    st.integers(0, 3),
    st.sampled_from([1, 2, 7, 30, 90]),
    st.sampled_from(ZONES),
)
FILTERS = st.builds(
    Filters,
    team=st.just("T1"),
    metric=st.sampled_from(Metric),
    channel=st.sampled_from(["", "", *CHANNELS]),
    agent=st.sampled_from(["", "", *AGENTS]),
    variant=st.sampled_from([None, None, 0, 1]),
    transport=st.sampled_from([None, None, *TransportName]),
    exclude_requesters=st.frozensets(st.sampled_from(AGENTS), max_size=2),
)


@st.composite
def surveys_around(draw: st.DrawFn, period: Period, filters: Filters) -> Row:
    """Draw a survey sent around a report's period, in any state."""
    state = draw(st.sampled_from(DELIVERED) | st.sampled_from(State))
    metric = draw(usually(filters.metric, Metric))
    once_sent = state in (*DELIVERED, State.UNCERTAIN, State.REFUSED)
    sent_at = draw(send_times(period)) if once_sent else None
    rating = draw(st.sampled_from(SCALES[metric])) if state is State.ANSWERED else None
    has_words = state in DELIVERED and draw(st.booleans())
    later = timedelta(minutes=draw(st.integers(1, 60 * 24 * 40)))
    return make_row(
        state=state,
        metric=metric,
        sent_at=sent_at,
        rating=rating,
        comment="Words." if has_words else None,
        commented_at=sent_at + later if has_words and sent_at else None,
        team=draw(usually(filters.team, TEAMS)),
        channel=draw(usually(filters.channel or CHANNELS[0], CHANNELS)),
        requester=draw(usually(filters.agent or AGENTS[0], AGENTS)),
        variant=draw(usually(filters.variant or 0, (0, 1))),
        transport=draw(usually(filters.transport or TransportName.X_CARD, TransportName)),
        disowned_at=sent_at if state in (State.SENT, State.EXPIRED) and draw(st.booleans()) else None,
        test=draw(usually(False, (True,))),  # noqa: FBT003 - the column's value
    )


def usually(usual: T, others: Iterable[T]) -> st.SearchStrategy[T]:
    """Return the usual value in most cases, so that enough surveys match."""
    kinds = list(others)
    return st.sampled_from([usual] * 4 * len(kinds) + kinds)


def send_times(period: Period) -> st.SearchStrategy[datetime]:
    """Return times in a period and the previous one, often at the bounds of a bucket."""
    edges = [part.begin for part in (*period.buckets(), period, period.previous())] + [period.end]
    near = st.builds(
        lambda edge, off: edge + off * MOMENT, st.sampled_from(edges), st.sampled_from([-1, 0, 1])
    )
    length = int((period.end - period.begin).total_seconds())
    return near | st.integers(-length, length).map(lambda off: period.begin + timedelta(seconds=off))


@st.composite
def examples(draw: st.DrawFn) -> tuple[Period, Filters, datetime, list[Row], dict[int, Row]]:
    """Draw a period, filters, the time of the report, surveys, and follow-ups on their low ratings."""
    period, filters = draw(PERIODS), draw(FILTERS)
    now = draw(send_times(period)) + DAYS_TO_ANSWER
    drawn = draw(st.lists(surveys_around(period, filters), min_size=5, max_size=40))
    rows = [{"id": number, **row} for number, row in enumerate(drawn, start=1)]
    lows = [row for row in rows if row["rating"] is not None and is_low(row["metric"], row["rating"])]
    follow_up_columns = {low["id"]: draw(st.sampled_from(FOLLOW_UPS)) for low in lows}
    return period, filters, now, rows, follow_up_columns


FOLLOWED_UP_AT = datetime.fromisoformat("2026-12-01T12:00:00+00:00")
FOLLOW_UPS: list[Row] = [
    {"taken_at": None, "closed_at": None},
    {"taken_at": FOLLOWED_UP_AT, "closed_at": None},
    {"taken_at": FOLLOWED_UP_AT, "closed_at": FOLLOWED_UP_AT},
    {"taken_at": None, "closed_at": FOLLOWED_UP_AT},
]


def write(connection: Connection, rows: list[Row], follow_up_columns: dict[int, Row]) -> None:
    replace_surveys(connection, rows)
    for survey_id, columns in follow_up_columns.items():
        row = {"survey_id": survey_id, "team": "T1", "opened_at": FOLLOWED_UP_AT, **columns}
        connection.execute(insert(follow_ups).values(row))


def expected(
    period: Period, filters: Filters, now: datetime, rows: list[Row], follow_up_columns: dict[int, Row]
) -> Report:
    """Return the expected report."""
    everything = Filters(team=filters.team, metric=filters.metric)
    first_sent = min((row["sent_at"] for row in rows if matches(row, everything)), default=None)
    since = now - DAYS_TO_ANSWER
    fitting = [row for row in rows if matches(row, filters)]
    others = [row for row in fitting if row["requester"] not in filters.exclude_requesters]
    shown = sent_in(period, others)
    lows = [row for row in shown if row["rating"] is not None and is_low(filters.metric, row["rating"])]
    closed = sum(follow_up_columns[low["id"]]["closed_at"] is not None for low in lows)
    taken = sum(follow_up_columns[low["id"]] != FOLLOW_UPS[0] for low in lows)
    return Report(
        filters=filters,
        period=period,
        current=tally(shown, since),
        previous=tally(sent_in(period.previous(), others), since),
        data_begin=first_sent.astimezone(period.zone).date() if first_sent else None,
        trend=tuple(
            Bucket(period=part, label=part.label, tally=tally(sent_in(part, others), since))
            for part in period.buckets()
        ),
        by_agent=by(lambda row: row["requester"], shown, since),
        by_channel=by(lambda row: row["channel"], shown, since),
        follow_up=FollowUpCounts(low=len(lows), taken=taken, closed=closed),
        comments=newest(shown),
        excluded=len(sent_in(period, fitting)) - len(shown),
    )


def matches(row: Row, filters: Filters) -> bool:
    return (
        row["state"] in DELIVERED
        and not row["test"]
        and (row["team"], row["metric"]) == (filters.team, filters.metric)
        and filters.channel in ("", row["channel"])
        and filters.agent in ("", row["requester"])
        and filters.variant in (None, row["variant"])
        and filters.transport in (None, row["transport"])
    )


def sent_in(period: Period, rows: Iterable[Row]) -> list[Row]:
    """Return the surveys sent on the days of a period in its zone."""
    days = {period.first + timedelta(days=day) for day in range(period.days)}
    return [row for row in rows if row["sent_at"].astimezone(period.zone).date() in days]


def tally(rows: list[Row], since: datetime) -> Tally:
    states = Counter(row["state"] for row in rows if row["disowned_at"] is None)
    rated = [row for row in rows if row["rating"] is not None]
    return Tally(
        ratings=dict(Counter(row["rating"] for row in rated)),
        sent=len(rows),
        open=states[State.SENT],
        expired=states[State.EXPIRED],
        finished=sum(row["sent_at"] <= since for row in rows),
        finished_rated=sum(row["sent_at"] <= since for row in rated),
        commented=sum(row["comment"] is not None for row in rated),
        disowned=sum(row["disowned_at"] is not None for row in rows),
        sent_as=dict(Counter(row["transport"] for row in rows)),
    )


def by(name: Callable[[Row], str], rows: list[Row], since: datetime) -> dict[str, Tally]:
    names = {name(row) for row in rows}
    return {group: tally([row for row in rows if name(row) == group], since) for group in names}


def newest(rows: list[Row]) -> tuple[RecentComment, ...]:
    commented = sorted(
        (row for row in rows if row["comment"]),
        key=lambda row: (row["commented_at"], row["id"]),
        reverse=True,
    )
    return tuple(
        RecentComment(
            survey_id=row["id"],
            rating=row["rating"],
            text=row["comment"],
            given_at=row["commented_at"],
            **{name: row[name] for name in ("channel", "thread", "external_id")},
        )
        for row in commented[:MAX_COMMENTS]
    )


@settings(max_examples=FEW_EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(examples())
async def test_the_queries_count_like_plain_python(
    database: Database, example: tuple[Period, Filters, datetime, list[Row], dict[int, Row]]
) -> None:
    period, filters, now, rows, follow_up_columns = example
    await database.run(write, rows, follow_up_columns)

    report = await fetch_report(database, filters, period, now)
    assert report == expected(period, filters, now, rows, follow_up_columns)

"""What a report counts in the ledger is what a few lines of Python count over all surveys."""

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
from csat.reporting.reports import MAX_COMMENTS, Bucket, Filters, FollowUpCounts, RecentComment, Report, Tally
from csat.surveys.questions import SCALES, Metric
from csat.surveys.responses import is_low
from csat.surveys.states import State
from tests.factories import make_row, replace_surveys

Row = dict[str, Any]
T = TypeVar("T")

TEAMS, AGENTS, CHANNELS = ("T1", "T2"), ("U1", "U2", "U3"), ("C1", "C2")
ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/Havana", "Asia/Kathmandu")]
DELIVERED = (State.SENT, State.ANSWERED, State.EXPIRED)
MOMENT = timedelta(microseconds=1)
CHANGING = (date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1))
"""Days on which clocks are changed somewhere."""

PERIODS = st.builds(
    lambda day, after, days, zone: Period(
        first=day + timedelta(days=after + 1 - days), last=day + timedelta(days=after), zone=zone
    ),
    st.sampled_from(CHANGING),
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
    exclude_requester=st.sampled_from(["", *AGENTS]),
)


@st.composite
def asked(draw: st.DrawFn, period: Period, wanted: Filters) -> Row:
    """Draw a survey that was sent somewhere around a report's period, and what became of it."""
    state = draw(st.sampled_from(DELIVERED) | st.sampled_from(State))
    metric = draw(mostly(wanted.metric, Metric))
    once_sent = state in (*DELIVERED, State.UNCERTAIN, State.REFUSED)
    sent_at = draw(moments(period)) if once_sent else None
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
        team=draw(mostly(wanted.team, TEAMS)),
        channel=draw(mostly(wanted.channel or CHANNELS[0], CHANNELS)),
        requester=draw(mostly(wanted.agent or AGENTS[0], AGENTS)),
        variant=draw(mostly(wanted.variant or 0, (0, 1))),
        test=draw(mostly(False, (True,))),  # noqa: FBT003 - the column's value
    )


def mostly(usual: T, others: Iterable[T]) -> st.SearchStrategy[T]:
    """Return the usual one in most cases, so that enough of what is drawn counts."""
    kinds = list(others)
    return st.sampled_from([usual] * 4 * len(kinds) + kinds)


def moments(period: Period) -> st.SearchStrategy[datetime]:
    """Return moments in a period and the one before, many of them where a day of it begins."""
    edges = [part.begin for part in (*period.buckets(), period, period.previous())] + [period.end]
    near = st.builds(
        lambda edge, off: edge + off * MOMENT, st.sampled_from(edges), st.sampled_from([-1, 0, 1])
    )
    length = int((period.end - period.begin).total_seconds())
    return near | st.integers(-length, length).map(lambda off: period.begin + timedelta(seconds=off))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Period, Filters, list[Row], dict[int, Row]]:
    """Draw a question, surveys, and for some of their low ratings how far somebody looked after them."""
    period, filters = draw(PERIODS), draw(FILTERS)
    drawn = draw(st.lists(asked(period, filters), min_size=5, max_size=40))
    rows = [{"id": number, **each} for number, each in enumerate(drawn, start=1)]
    lows = [each for each in rows if each["rating"] is not None and is_low(each["metric"], each["rating"])]
    cared = {low["id"]: draw(st.sampled_from(CARE)) for low in lows}
    return period, filters, rows, cared


THEN = datetime.fromisoformat("2026-12-01T12:00:00+00:00")
CARE: list[Row] = [
    {"taken_at": None, "closed_at": None},
    {"taken_at": THEN, "closed_at": None},
    {"taken_at": THEN, "closed_at": THEN},
    {"taken_at": None, "closed_at": THEN},
]


def write(connection: Connection, rows: list[Row], cared: dict[int, Row]) -> None:
    replace_surveys(connection, rows)
    for survey_id, care in cared.items():
        connection.execute(insert(follow_ups).values(survey_id=survey_id, team="T1", opened_at=THEN, **care))


def expected(period: Period, filters: Filters, rows: list[Row], cared: dict[int, Row]) -> Report:
    """Return the report as it should be, from all that there is."""
    fitting = [each for each in rows if fits(each, filters)]
    others = [each for each in fitting if each["requester"] != filters.exclude_requester]
    now = within(period, others)
    lows = [each for each in now if each["rating"] is not None and is_low(filters.metric, each["rating"])]
    closed = sum(cared[low["id"]]["closed_at"] is not None for low in lows)
    taken = sum(cared[low["id"]] != CARE[0] for low in lows)
    return Report(
        filters=filters,
        period=period,
        current=tally(now),
        previous=tally(within(period.previous(), others)),
        trend=tuple(
            Bucket(period=part, label=part.label, tally=tally(within(part, others)))
            for part in period.buckets()
        ),
        by_agent=by(lambda each: each["requester"], now),
        by_channel=by(lambda each: each["channel"], now),
        follow_up=FollowUpCounts(low=len(lows), taken=taken, closed=closed),
        comments=newest(now),
        excluded=len(within(period, fitting)) - len(now),
    )


def fits(each: Row, filters: Filters) -> bool:
    return (
        each["state"] in DELIVERED
        and not each["test"]
        and (each["team"], each["metric"]) == (filters.team, filters.metric)
        and filters.channel in ("", each["channel"])
        and filters.agent in ("", each["requester"])
        and filters.variant in (None, each["variant"])
    )


def within(period: Period, rows: Iterable[Row]) -> list[Row]:
    """Return what was sent on the days of a period, by the calendar of its zone."""
    days = {period.first + timedelta(days=day) for day in range(period.days)}
    return [each for each in rows if each["sent_at"].astimezone(period.zone).date() in days]


def tally(rows: list[Row]) -> Tally:
    states = Counter(each["state"] for each in rows)
    rated = [each for each in rows if each["rating"] is not None]
    return Tally(
        ratings=dict(Counter(each["rating"] for each in rated)),
        sent=len(rows),
        open=states[State.SENT],
        expired=states[State.EXPIRED],
        commented=sum(each["comment"] is not None for each in rated),
    )


def by(name: Callable[[Row], str], rows: list[Row]) -> dict[str, Tally]:
    names = {name(each) for each in rows}
    return {one: tally([each for each in rows if name(each) == one]) for one in names}


def newest(rows: list[Row]) -> tuple[RecentComment, ...]:
    said = sorted(
        (each for each in rows if each["comment"]),
        key=lambda each: (each["commented_at"], each["id"]),
        reverse=True,
    )
    return tuple(
        RecentComment(
            survey_id=each["id"],
            rating=each["rating"],
            text=each["comment"],
            given_at=each["commented_at"],
            **{name: each[name] for name in ("channel", "thread", "external_id")},
        )
        for each in said[:MAX_COMMENTS]
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds())
async def test_the_ledger_counts_as_python_does(
    database: Database, world: tuple[Period, Filters, list[Row], dict[int, Row]]
) -> None:
    period, filters, rows, cared = world
    await database.run(write, rows, cared)

    assert await fetch_report(database, filters, period) == expected(period, filters, rows, cared)

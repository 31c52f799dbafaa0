"""The surveys that a report counts and excludes."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from csat.db.database import Database
from csat.reporting.periods import Period, last_days
from csat.reporting.report_builder import fetch_report
from csat.reporting.report_model import Filters, Report, Tally
from csat.surveys.questions import Metric
from csat.surveys.states import State
from csat.surveys.transports import TransportName
from tests.factories import NOON, make_rated_row, make_row, replace_surveys

TEAM, ADA, CLEO = "T012AB3CD", "U07ADA", "U07CLEO"
BERLIN = ZoneInfo("Europe/Berlin")
WEEK = last_days(7, NOON, BERLIN)
CSAT = Filters(team=TEAM, metric=Metric.CSAT)
MOMENT = timedelta(microseconds=1)


async def make_report(
    database: Database,
    *rows: dict[str, Any],
    period: Period = WEEK,
    filters: Filters = CSAT,
    now: datetime = NOON,
) -> Report:
    """Return the report on a database with only these surveys."""
    await database.run(replace_surveys, list(rows))
    return await fetch_report(database, filters, period, now)


async def test_a_report_counts_surveys_by_outcome(database: Database) -> None:
    report = await make_report(
        database,
        make_rated_row(5, comment="Great!", commented_at=NOON),
        make_rated_row(5),
        make_rated_row(2),
        make_row(),
        make_row(state=State.EXPIRED),
    )

    assert report.current == Tally(
        ratings={2: 1, 5: 2}, sent=5, open=1, expired=1, commented=1, sent_as={TransportName.X_CARD: 5}
    )
    assert report.current.rated == 3
    assert report.previous == Tally()
    assert [comment.text for comment in report.comments] == ["Great!"]
    assert (report.follow_up.low, report.follow_up.taken) == (1, 0)


async def test_a_report_can_be_limited_to_a_transport(database: Database) -> None:
    rows = [
        make_rated_row(5, comment="Great!", commented_at=NOON),
        make_rated_row(1, transport=TransportName.X_LINK, comment="Slow.", commented_at=NOON),
        make_row(transport=TransportName.X_LINK),
    ]

    link = await make_report(
        database, *rows, filters=CSAT.model_copy(update={"transport": TransportName.X_LINK})
    )

    assert link.current == Tally(
        ratings={1: 1}, sent=2, open=1, commented=1, sent_as={TransportName.X_LINK: 2}
    )
    assert [comment.text for comment in link.comments] == ["Slow."]
    assert link.follow_up.low == 1
    assert (await make_report(database, *rows)).current.sent_as == {
        TransportName.X_CARD: 1,
        TransportName.X_LINK: 2,
    }


async def test_a_survey_that_was_not_meant_for_its_reader_is_sent_but_neither_open_nor_expired(
    database: Database,
) -> None:
    old = NOON - timedelta(days=20)
    report = await make_report(
        database,
        make_rated_row(5, sent_at=old),
        make_row(sent_at=old, state=State.EXPIRED, disowned_at=old),
        make_row(sent_at=old, disowned_at=old),
        period=last_days(30, NOON, BERLIN),
    )

    counts = report.current
    assert (counts.sent, counts.rated, counts.expired, counts.open, counts.disowned) == (3, 1, 0, 0, 2)
    assert (counts.finished, counts.finished_rated) == (3, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"test": True},
        {"team": "T999"},
        {"metric": "nps"},
        {"state": State.UNCERTAIN},
        {"state": State.REFUSED},
        {"state": State.ACCEPTED, "sent_at": None},
        {"state": State.CANCELLED, "sent_at": None},
        {"sent_at": WEEK.begin - MOMENT},
        {"sent_at": WEEK.end},
    ],
    ids=str,
)
async def test_surveys_outside_the_period_and_tests_are_not_counted(
    database: Database, fields: dict[str, Any]
) -> None:
    report = await make_report(database, make_row(**fields))

    assert report.current == Tally()
    assert (report.by_agent, report.by_channel) == ({}, {})


async def test_the_viewer_s_own_surveys_are_excluded_and_their_number_is_reported(database: Database) -> None:
    filters = CSAT.model_copy(update={"exclude_requesters": frozenset({CLEO})})
    report = await make_report(
        database,
        make_rated_row(1, requester=CLEO),
        make_row(requester=CLEO),
        make_rated_row(4, requester=ADA),
        filters=filters,
    )

    assert report.excluded == 2
    assert report.current == Tally(ratings={4: 1}, sent=1, sent_as={TransportName.X_CARD: 1})
    assert set(report.by_agent) == {ADA}
    assert report.follow_up.low == 0


async def test_an_agent_with_fewer_than_five_ratings_has_no_row(database: Database) -> None:
    many = [make_rated_row(5, requester=ADA) for _ in range(5)]
    few = [make_rated_row(5, requester=CLEO) for _ in range(4)]
    report = await make_report(database, *many, *few, make_row(requester=CLEO), make_row(requester=CLEO))

    assert [name for name, _ in report.agent_rows] == [ADA]
    assert report.current.rated == 9


async def test_the_response_rate_counts_only_surveys_whose_14_days_have_passed(database: Database) -> None:
    old, new = NOON - timedelta(days=14), NOON - timedelta(days=14) + MOMENT
    report = await make_report(
        database,
        make_rated_row(5, sent_at=old),
        make_row(sent_at=old, state=State.EXPIRED),
        make_rated_row(5, sent_at=new),
        make_row(sent_at=new),
        period=last_days(30, NOON, BERLIN),
    )

    assert (report.current.finished, report.current.finished_rated) == (2, 1)
    assert (report.current.sent, report.current.rated, report.current.open) == (4, 2, 1)


@pytest.mark.parametrize(
    ("first_sent", "is_whole"),
    [
        (WEEK.previous().begin, True),
        (WEEK.previous().end - MOMENT, False),
        (WEEK.previous().begin + timedelta(days=1) - MOMENT, True),
        (WEEK.previous().begin + timedelta(days=1), False),
    ],
)
async def test_the_period_before_is_compared_only_where_its_first_day_has_data(
    database: Database, first_sent: datetime, *, is_whole: bool
) -> None:
    filters = CSAT.model_copy(update={"agent": ADA, "exclude_requesters": frozenset({CLEO})})
    ignored = [
        make_rated_row(5, sent_at=NOON - timedelta(days=90), **fields)
        for fields in ({"test": True}, {"metric": "nps"}, {"team": "T999"}, {"state": State.REFUSED})
    ]
    report = await make_report(
        database, make_row(sent_at=first_sent, requester=CLEO), *ignored, filters=filters
    )

    assert report.data_begin == first_sent.astimezone(BERLIN).date()
    assert report.previous_is_whole is is_whole


async def test_without_surveys_there_is_no_first_day(database: Database) -> None:
    report = await make_report(database)

    assert report.data_begin is None
    assert not report.previous_is_whole

"""What a report counts: which surveys of which period, and whose are left out."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from csat.db.database import Database
from csat.reporting.periods import Period, last_days
from csat.reporting.report_builder import fetch_report
from csat.reporting.reports import Filters, Report, Tally
from csat.surveys.questions import Metric
from csat.surveys.states import State
from tests.factories import NOON, make_rated_row, make_row, replace_surveys

TEAM, ADA, CLEO = "T012AB3CD", "U07ADA", "U07CLEO"
BERLIN = ZoneInfo("Europe/Berlin")
WEEK = last_days(7, NOON, BERLIN)
CSAT = Filters(team=TEAM, metric=Metric.CSAT)
MOMENT = timedelta(microseconds=1)


async def reported(
    database: Database, *rows: dict[str, Any], period: Period = WEEK, filters: Filters = CSAT
) -> Report:
    """Return the report of a ledger with these surveys and no others."""
    await database.run(replace_surveys, list(rows))
    return await fetch_report(database, filters, period)


async def test_a_report_tells_what_became_of_the_surveys(database: Database) -> None:
    told = await reported(
        database,
        make_rated_row(5, comment="Great!", commented_at=NOON),
        make_rated_row(5),
        make_rated_row(2),
        make_row(),
        make_row(state=State.EXPIRED),
    )

    assert told.current == Tally(ratings={2: 1, 5: 2}, sent=5, open=1, expired=1, commented=1)
    assert told.current.rated == 3
    assert told.previous == Tally()
    assert [comment.text for comment in told.comments] == ["Great!"]
    assert (told.follow_up.low, told.follow_up.taken) == (1, 0)


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
async def test_what_was_not_sent_in_the_period_or_was_a_test_counts_nowhere(
    database: Database, fields: dict[str, Any]
) -> None:
    told = await reported(database, make_row(**fields))

    assert told.current == Tally()
    assert (told.by_agent, told.by_channel) == ({}, {})


async def test_the_viewers_own_surveys_are_left_out_and_counted(database: Database) -> None:
    filters = CSAT.model_copy(update={"exclude_requester": CLEO})
    told = await reported(
        database,
        make_rated_row(1, requester=CLEO),
        make_row(requester=CLEO),
        make_rated_row(4, requester=ADA),
        filters=filters,
    )

    assert told.excluded == 2
    assert told.current == Tally(ratings={4: 1}, sent=1)
    assert set(told.by_agent) == {ADA}
    assert told.follow_up.low == 0


async def test_an_agent_with_fewer_than_five_ratings_has_no_row(database: Database) -> None:
    many = [make_rated_row(5, requester=ADA) for _ in range(5)]
    few = [make_rated_row(5, requester=CLEO) for _ in range(4)]
    told = await reported(database, *many, *few, make_row(requester=CLEO), make_row(requester=CLEO))

    assert [name for name, _ in told.agent_rows] == [ADA]
    assert told.current.rated == 9

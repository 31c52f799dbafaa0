"""A report on an export has the same figures as a report on the database, to the digit."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, update

from csat.db.database import Database
from csat.db.tables import surveys
from csat.reporting.database_from_export import open_export
from csat.reporting.export_files import read_export, write_export
from csat.reporting.export_rows import Selection
from csat.reporting.periods import custom_period, last_days
from csat.reporting.report_builder import fetch_report
from csat.reporting.report_model import Filters
from csat.surveys.questions import Metric
from csat.surveys.states import State
from csat.surveys.transports import TransportName
from demo.seed import insert_past
from tests.databases import SLOW_KINDS
from tests.factories import SAMPLE_TEAM, no_names
from tests.recount import Recount

pytestmark = pytest.mark.unmeasured

NOW = datetime(2026, 4, 2, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
TEAM = SAMPLE_TEAM.id
ADA, CLEO = (colleague.user for colleague in SAMPLE_TEAM.colleagues)

FILTERS = (
    Filters(team=TEAM, metric=Metric.CSAT),
    Filters(team=TEAM, metric=Metric.NPS, exclude_requesters=frozenset({CLEO})),
    Filters(team=TEAM, metric=Metric.CSAT, agent=ADA, variant=0),
    Filters(team=TEAM, metric=Metric.NPS, channel=SAMPLE_TEAM.channels[0]),
    Filters(team=TEAM, metric=Metric.CSAT, transport=TransportName.X_LINK),
    Filters(team=TEAM, metric=Metric.NPS, transport=TransportName.X_CARD),
    Filters(team=TEAM, metric=Metric.CSAT, transport=TransportName.SLACK),
    Filters(team="T0OTHER", metric=Metric.CSAT),
)


def spoil(connection: Connection) -> None:
    """Turn some surveys into tests, some into uncertain, refused and disowned ones."""
    connection.execute(update(surveys).where(surveys.c.id % 17 == 0).values(test=True))
    connection.execute(
        update(surveys).where(surveys.c.id % 19 == 0).values(state=State.UNCERTAIN, rating=None)
    )
    connection.execute(update(surveys).where(surveys.c.id % 23 == 0).values(state=State.REFUSED, rating=None))
    unanswered = surveys.c.rating.is_(None)
    connection.execute(update(surveys).where(surveys.c.id % 6 == 1, unanswered).values(disowned_at=NOW))


@pytest.mark.parametrize("database_url", SLOW_KINDS, indirect=True)
async def test_an_export_has_the_figures_of_the_database(database: Database, tmp_path: Path) -> None:
    team = SAMPLE_TEAM.model_copy(update={"transports": tuple(TransportName)})
    await database.run(insert_past, team, NOW)
    await database.run(spoil)
    path = tmp_path / "all.csv"
    async for _ in write_export(
        database, Selection(team=TEAM, period=last_days(400, NOW, BERLIN)), path, NOW, no_names
    ):
        pass
    month = last_days(30, NOW, BERLIN)
    march = custom_period(month.first, month.last - timedelta(days=3), NOW, BERLIN)

    async with open_export(path) as (exported, _):
        periods = (month, march, last_days(90, NOW, ZoneInfo("UTC")))
        for filters, period in itertools.product(FILTERS, periods):
            expected = await fetch_report(database, filters, period, NOW)

            assert await fetch_report(exported, filters, period, NOW) == expected
            assert Recount(filters, period, NOW).add(read_export(path)).report() == expected

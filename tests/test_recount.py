"""Whoever has an export can compute the report's figures from it, to the digit."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, update

from csat.db.database import Database
from csat.db.tables import surveys
from csat.reporting.assemble import fetch_report
from csat.reporting.export_rows import Selection
from csat.reporting.exports import read_export, write_export
from csat.reporting.periods import Period, custom, last_days
from csat.reporting.recount import Recount
from csat.reporting.reports import Filters
from csat.surveys.questions import Metric
from csat.surveys.states import State
from demo.seed import fill
from tests.test_exporting import SCENE

NOW = datetime(2026, 4, 2, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
TEAM = SCENE.team
ADA, CLEO = (colleague.user for colleague in SCENE.colleagues)


def spoil(connection: Connection) -> None:
    """Let some be tests, some never have arrived, and some be in doubt."""
    connection.execute(update(surveys).where(surveys.c.id % 17 == 0).values(test=True))
    connection.execute(
        update(surveys).where(surveys.c.id % 19 == 0).values(state=State.UNCERTAIN, rating=None)
    )
    connection.execute(update(surveys).where(surveys.c.id % 23 == 0).values(state=State.REFUSED, rating=None))


@pytest.mark.parametrize(
    "filters",
    [
        Filters(team=TEAM, metric=Metric.CSAT),
        Filters(team=TEAM, metric=Metric.NPS, without=CLEO),
        Filters(team=TEAM, metric=Metric.CSAT, agent=ADA, variant=0),
        Filters(team=TEAM, metric=Metric.NPS, channel=SCENE.channels[0]),
        Filters(team="T0OTHER", metric=Metric.CSAT),
    ],
)
async def test_an_export_gives_the_same_figures_as_the_ledger(
    database: Database, tmp_path: Path, filters: Filters
) -> None:
    await database.run(fill, SCENE, NOW)
    await database.run(spoil)
    everything = Selection(team=TEAM, period=last_days(400, NOW, BERLIN))
    async for _ in write_export(database, everything, tmp_path / "all.csv", NOW):
        pass
    month = last_days(30, NOW, BERLIN)
    march = custom(month.first, month.last - timedelta(days=3), NOW, BERLIN)

    for period in (month, march, last_days(90, NOW, ZoneInfo("UTC"))):
        assert await of_ledger(database, filters, period) == of_file(tmp_path / "all.csv", filters, period)


async def of_ledger(database: Database, filters: Filters, period: Period) -> dict[str, object]:
    return (await fetch_report(database, filters, period)).model_dump()


def of_file(path: Path, filters: Filters, period: Period) -> dict[str, object]:
    return Recount(filters, period).add(read_export(path)).report().model_dump()

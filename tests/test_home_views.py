"""The record of Homes that show results and must be refreshed when permissions change."""

from datetime import timedelta

from csat.db.database import Database
from csat.reporting import published_homes
from csat.reporting.home_report_choices import ReportQuery
from csat.reporting.published_homes import Home
from tests.factories import NOON

TEAM, USER = "T1", "U1"
LATER = NOON + timedelta(seconds=1)
LATEST = NOON + timedelta(seconds=2)


async def get_home(database: Database) -> Home:
    (home,) = await database.read(published_homes.list_homes, TEAM)
    return home


async def request_results(database: Database, **changes: object) -> published_homes.HomeRequest:
    return await database.run(
        published_homes.request_results, TEAM, USER, lambda query: query.with_changes(**changes), NOON
    )


async def test_a_home_is_marked_before_it_shows_results_and_keeps_its_filters(database: Database) -> None:
    first = await request_results(database, days=90, agent="U012AB3CE")
    again = await request_results(database, days=7)

    assert (first.showed_results, again.showed_results) == (False, True)
    assert again.query == ReportQuery(days=7, agent="U012AB3CE")
    assert (await get_home(database)).shows_results


async def test_a_newer_mark_is_not_overwritten(database: Database) -> None:
    await request_results(database)
    before = await get_home(database)
    await database.run(published_homes.mark_results_shown, TEAM, USER, LATER)

    assert not await database.run(published_homes.mark_results_hidden, TEAM, USER, before, LATEST)
    assert (await get_home(database)).shows_results
    assert await database.run(
        published_homes.mark_results_hidden, TEAM, USER, await get_home(database), LATEST
    )
    assert not (await get_home(database)).shows_results


async def test_a_home_without_results_is_recorded_once(database: Database) -> None:
    assert await database.run(published_homes.mark_results_hidden, TEAM, USER, None, NOON)
    assert not await database.run(published_homes.mark_results_hidden, TEAM, USER, None, LATER)
    assert await database.read(published_homes.list_homes, "T2") == []
    assert await database.read(published_homes.find_home, TEAM, "U2") is None


async def test_invalid_stored_filters_are_reset(database: Database) -> None:
    assert ReportQuery.from_json('{"days": 1000}') == ReportQuery()
    assert ReportQuery.from_json("no JSON") == ReportQuery()
    assert (await request_results(database, days="soon")).query == ReportQuery()

"""Which Homes are looked at again: every one in which there can be results."""

from datetime import timedelta

from csat.db.database import Database
from csat.reporting import home_views
from csat.reporting.home_views import Home
from csat.reporting.report_query import ReportQuery
from tests.factories import NOON

TEAM, PERSON = "T1", "U1"
LATER = NOON + timedelta(seconds=1)
LATEST = NOON + timedelta(seconds=2)


async def standing(database: Database) -> Home:
    (home,) = await database.read(home_views.list_homes, TEAM)
    return home


async def asked(database: Database, **changes: object) -> home_views.HomeRequest:
    return await database.run(
        home_views.request_results, TEAM, PERSON, lambda kept: kept.with_changes(**changes), NOON
    )


async def test_a_home_is_marked_before_it_shows_results_and_keeps_what_was_chosen(database: Database) -> None:
    first = await asked(database, days=90, agent="U012AB3CE")
    again = await asked(database, days=7)

    assert (first.again, again.again) == (False, True)
    assert again.choices == ReportQuery(days=7, agent="U012AB3CE")
    assert (await standing(database)).shows_results


async def test_a_mark_that_came_in_between_stays(database: Database) -> None:
    await asked(database)
    seen = await standing(database)
    await database.run(home_views.mark_results_shown, TEAM, PERSON, LATER)

    assert not await database.run(home_views.mark_results_hidden, TEAM, PERSON, seen, LATEST)
    assert (await standing(database)).shows_results
    assert await database.run(home_views.mark_results_hidden, TEAM, PERSON, await standing(database), LATEST)
    assert not (await standing(database)).shows_results


async def test_a_home_that_shows_none_is_known_from_its_first_time(database: Database) -> None:
    assert await database.run(home_views.mark_results_hidden, TEAM, PERSON, None, NOON)
    assert not await database.run(home_views.mark_results_hidden, TEAM, PERSON, None, LATER)
    assert await database.read(home_views.list_homes, "T2") == []
    assert await database.read(home_views.find_home, TEAM, "U2") is None


async def test_what_another_version_kept_is_asked_anew(database: Database) -> None:
    assert ReportQuery.from_json('{"days": 1000}') == ReportQuery()
    assert ReportQuery.from_json("no JSON") == ReportQuery()
    assert (await asked(database, days="soon")).choices == ReportQuery()

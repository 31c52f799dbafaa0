"""Which Homes are looked at again: every one in which there can be results."""

from datetime import timedelta

from csat.db.database import Ledger
from csat.reporting import home_views
from csat.reporting.home_views import Home
from csat.reporting.report_query import Choices
from tests.samples import NOON

TEAM, PERSON = "T1", "U1"
LATER = NOON + timedelta(seconds=1)
LATEST = NOON + timedelta(seconds=2)


async def standing(ledger: Ledger) -> Home:
    (home,) = await ledger.read(home_views.everybody, TEAM)
    return home


async def asked(ledger: Ledger, **changes: object) -> home_views.Asked:
    return await ledger.run(home_views.ask, TEAM, PERSON, lambda kept: kept.with_(**changes), NOON)


async def test_a_home_is_marked_before_it_shows_results_and_keeps_what_was_chosen(ledger: Ledger) -> None:
    first = await asked(ledger, days=90, agent="U012AB3CE")
    again = await asked(ledger, days=7)

    assert (first.again, again.again) == (False, True)
    assert again.choices == Choices(days=7, agent="U012AB3CE")
    assert (await standing(ledger)).shows_results


async def test_a_mark_that_came_in_between_stays(ledger: Ledger) -> None:
    await asked(ledger)
    seen = await standing(ledger)
    await ledger.run(home_views.shows_results, TEAM, PERSON, LATER)

    assert not await ledger.run(home_views.shows_none, TEAM, PERSON, seen, LATEST)
    assert (await standing(ledger)).shows_results
    assert await ledger.run(home_views.shows_none, TEAM, PERSON, await standing(ledger), LATEST)
    assert not (await standing(ledger)).shows_results


async def test_a_home_that_shows_none_is_known_from_its_first_time(ledger: Ledger) -> None:
    assert await ledger.run(home_views.shows_none, TEAM, PERSON, None, NOON)
    assert not await ledger.run(home_views.shows_none, TEAM, PERSON, None, LATER)
    assert await ledger.read(home_views.everybody, "T2") == []
    assert await ledger.read(home_views.find, TEAM, "U2") is None


async def test_what_another_version_kept_is_asked_anew(ledger: Ledger) -> None:
    assert Choices.read('{"days": 1000}') == Choices()
    assert Choices.read("no JSON") == Choices()
    assert (await asked(ledger, days="soon")).choices == Choices()

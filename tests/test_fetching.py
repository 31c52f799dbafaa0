"""Answers that the app fetches: of young surveys one by one, of others from X's events; each is enough."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from csat.db import feeds, poll_queue, send_queue, tables
from csat.db.database import Database
from csat.feedback.intake import Intake
from csat.surveys.poll_schedule import next_poll
from sandbox.slack import fixtures
from sandbox.x import Fault
from sandbox.x.rate_limits import Endpoint
from tests.databases import KINDS, Databases
from tests.factories import NOON, insert_sending, make_update
from tests.world import HASTY, Clock, World, running_world

DAY = timedelta(days=1)


@pytest.fixture(name="world", params=KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, pace=HASTY, database_url=url) as world:
        yield world


def off(world: World, way: Endpoint) -> None:
    """Let one way to fetch answers be closed for good."""
    world.x.fail(Fault.OVER_CAPACITY, way)


def asked(world: World, way: str = "/show/") -> list[datetime]:
    """Return when X was asked."""
    return [call.at for call in world.x.requests if way in call.path]


def read_until(world: World) -> datetime:
    """Return how far X's events were read."""
    ((moment,),) = world.rows(tables.feeds.c.swept_until)
    return datetime.fromisoformat(str(moment or "2000-01-01")).replace(tzinfo=None)


async def in_time(world: World, condition: Callable[[], bool]) -> None:
    """Let time pass until something is so."""

    def passing() -> bool:
        world.clock.advance(seconds=3)
        return condition()

    await world.wait_until(passing)


async def answered(world: World, rating: int, comment: str | None = None) -> None:
    known = [("answered", rating, comment)]
    await world.wait_until(
        lambda: world.rows(tables.surveys.c.state, tables.surveys.c.rating, tables.surveys.c.comment) == known
    )


def test_a_survey_is_asked_about_whenever_its_age_has_doubled_and_at_last_after_two_weeks() -> None:
    ages, now = list[timedelta](), NOON + timedelta(minutes=1)
    while now <= NOON + 14 * DAY:
        ages.append(now - NOON)
        now = next_poll(NOON, now)

    assert ages[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert (len(ages), ages[-1]) == (16, 14 * DAY)


async def test_a_young_survey_s_answer_is_asked_for(world: World) -> None:
    off(world, Endpoint.EVENTS)
    sent = await world.send_survey()
    world.x.rate(sent.id, 4)
    world.clock.advance(seconds=61)
    await answered(world, 4)
    world.clock.advance(seconds=61)
    await world.wait_until(lambda: len(asked(world)) == 2)
    world.x.comment(sent.id, "Thank you.")
    world.clock.advance(minutes=3)
    await answered(world, 4, "Thank you.")

    assert len(asked(world)) == 3
    assert world.rows(tables.surveys.c.poll_at) == [(None,)]


async def test_an_answer_of_the_last_day_is_asked_for_even_after_a_long_absence(world: World) -> None:
    off(world, Endpoint.EVENTS)
    sent = await world.send_survey()
    world.x.rate(sent.id, 5)
    world.clock.advance(days=20)

    await answered(world, 5)
    assert world.rows(tables.outbox.c.kind, where=tables.outbox.c.kind == "expired") == []


async def test_an_older_answer_is_found_among_x_s_events(world: World) -> None:
    off(world, Endpoint.SHOW)
    sent = await world.send_survey()
    world.x.adds_empty_pages = True
    world.clock.advance(days=5)
    world.x.rate(sent.id, 2)
    world.x.comment(sent.id, "Slow.")
    world.clock.advance(hours=25)

    await answered(world, 2, "Slow.")


async def test_events_are_read_from_where_they_ended_in_bounded_spans(world: World) -> None:
    await world.send_survey()
    world.clock.advance(days=4)
    await world.wait_until(
        lambda: read_until(world) > world.clock().replace(tzinfo=None) - timedelta(hours=25)
    )
    reads = [call for call in world.x.requests if call.path.endswith("/events.json")]
    spans = [(int(read.params["from_time"]), int(read.params["to_time"])) for read in reads]

    for (_, end), (begin, _) in itertools.pairwise(spans):
        assert begin == pytest.approx(end - feeds.OVERLAP.total_seconds() * 1000, abs=2)
    assert max(end - begin for begin, end in spans) <= DAY.total_seconds() * 1000
    assert world.x.rate_limits[Endpoint.EVENTS].used < 10


async def test_a_listing_that_breaks_off_is_read_again_from_its_beginning(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    off(world, Endpoint.SHOW)
    sent = await world.send_survey()
    world.x.rate(sent.id, 3)
    world.x.fail(Fault.TRUNCATED, Endpoint.EVENTS, times=1)
    world.clock.advance(hours=26)
    await world.wait_until(lambda: "Periodic task failed, retrying later: sweeping X's events" in caplog.text)
    begun = read_until(world)
    world.clock.advance(minutes=2)
    await answered(world, 3)
    assert begun <= sent.created_at.replace(tzinfo=None)


async def test_without_an_answer_a_survey_expires_after_two_weeks_and_a_late_one_still_counts(
    world: World,
) -> None:
    off(world, Endpoint.EVENTS)
    sent = await world.send_survey()
    world.clock.advance(days=13)
    await world.wait_until(lambda: len(asked(world)) == 1)
    assert world.states() == ["sent"]
    world.clock.advance(days=1)
    await world.wait_until(lambda: len(asked(world)) == 2)
    world.clock.advance(minutes=11)
    await world.wait_for_message("No answer came within two weeks.")
    world.x.recover(Endpoint.EVENTS)
    world.x.rate(sent.id, 5)
    world.clock.advance(hours=25)
    await in_time(world, lambda: world.states() == ["answered"])

    await world.wait_for_message("They answered.")
    assert len(world.app_messages()) == 1


async def test_more_than_x_allows_in_a_quarter_of_an_hour_is_not_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csat.db.feeds.BUDGET", 2)
    for who in ("mira_k", "sofie_l", "benitez_leo"):
        await world.send_survey(f"/csat @{who}")
    world.clock.advance(minutes=1)
    await world.wait_until(lambda: len(asked(world)) == 2)
    assert world.rows(tables.feeds.c.requests_used) == [(2,)]
    world.clock.advance(minutes=16)
    await world.wait_until(lambda: len(asked(world)) == 4)

    assert world.rows(tables.feeds.c.requests_used) == [(2,)]


async def test_when_x_says_that_it_is_enough_nobody_asks_before_it_says(world: World) -> None:
    world.x.fail(Fault.RATE_LIMITED, Endpoint.SHOW, times=1)
    sent = await world.send_survey()
    world.x.rate(sent.id, 4)
    world.clock.advance(minutes=1)
    await left_alone(world)
    for minutes in (14, 2):
        world.clock.advance(minutes=minutes)
    await answered(world, 4)

    first, second = asked(world)
    assert second - first >= timedelta(minutes=15)


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY, Fault.TOKEN_REVOKED, Fault.RESET, Fault.HTML])
async def test_where_x_fails_it_is_left_alone_and_asked_again(world: World, fault: Fault) -> None:
    world.x.fail(fault, Endpoint.SHOW, times=1)
    sent = await world.send_survey()
    world.x.rate(sent.id, 4)
    world.clock.advance(minutes=1)
    await left_alone(world)
    world.clock.advance(minutes=2)

    await answered(world, 4)


async def left_alone(world: World) -> None:
    await world.wait_until(lambda: world.rows(tables.feeds.c.requests_used) == [(feeds.BUDGET,)])


async def test_a_survey_that_x_does_not_know_stands_in_nobody_s_way(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    lost, sent = await world.send_survey(), await world.send_survey("/csat @sofie_l")
    world.x.delete_feedback(lost.id)
    world.x.rate(sent.id, 4)
    world.clock.advance(minutes=1)
    await world.wait_until(
        lambda: world.rows(tables.surveys.c.state, where=tables.surveys.c.id == 2) == [("answered",)]
    )

    assert f"X does not show feedback {lost.id}" in caplog.text


async def test_what_x_tells_and_cannot_be_is_refused_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.x.fail(Fault.IDS_MISSING, Endpoint.SHOW, times=1)
    sent = await world.send_survey()
    world.clock.advance(minutes=1)
    await world.wait_until(lambda: "Feedback rejected: feedback without an id" in caplog.text)
    world.x.rate(sent.id, 4)
    world.clock.advance(minutes=2)

    await answered(world, 4)


async def test_a_survey_that_its_requester_confirmed_is_answered_by_x_s_events(world: World) -> None:
    world.x.fail(Fault.BAD_GATEWAY_AFTER, times=1)
    await world.submit_survey("/csat @mira_k")
    question = await world.wait_for_message("It is not known")
    await world.workspace.click(fixtures.ADA, "survey_arrived", channel=fixtures.SUPPORT, ts=question.ts)
    await world.wait_for_message("@mira_k for feedback")
    world.x.rate(world.x.feedbacks[0].id, 4)
    world.clock.advance(hours=26)

    await answered(world, 4)
    assert world.rows(tables.surveys.c.feedback_id) == [(world.x.feedbacks[0].id,)]


async def test_an_answer_whose_survey_nobody_knows_is_dropped_with_its_id_in_the_log(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    intake = Intake(database, "A1", str, clock)
    await intake.take(make_update(5, "Fine.", feedback_id="4711"))
    clock.advance(hours=49)
    await intake.match()

    assert "Dropped 1 responses to unknown surveys: 4711" in caplog.text
    assert "Fine." not in caplog.text


async def test_any_number_of_instances_ask_about_each_survey_once_and_keep_to_one_budget(
    database: Database,
) -> None:
    await database.run(feeds.open_feed, "A1")
    for number in range(6):
        await database.run(sent_as, f"V{number}", f"90{number}")
    later = NOON + timedelta(minutes=1)
    claims = await asyncio.gather(*(database.run(poll_queue.claim, "A1", later, 2) for _ in range(8)))

    claimed = [ask.feedback_id for claim in claims for ask in claim]
    assert sorted(claimed) == [f"90{number}" for number in range(6)]
    assert await database.run(feeds.lock_remaining, "A1", later) == feeds.BUDGET - 6


def sent_as(connection: Connection, view_id: str, feedback_id: str) -> None:
    entry = insert_sending(connection, view_id)
    send_queue.mark_sent(connection, entry.id, 1, make_update(feedback_id=feedback_id).receipt, NOON)


async def test_one_instance_at_a_time_reads_the_events(database: Database) -> None:
    await database.run(feeds.open_feed, "A1")
    await database.run(sent_as, "V1", "900")
    later = NOON + timedelta(days=5)
    spans = await asyncio.gather(*(database.run(feeds.claim_sweep, "A1", later) for _ in range(8)))

    (span,) = [span for span in spans if span]
    await database.run(feeds.mark_swept, "A1", span, later)
    following = await database.run(feeds.claim_sweep, "A1", later)
    assert following
    assert following.begin == span.end - feeds.OVERLAP

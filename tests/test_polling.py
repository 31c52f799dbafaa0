"""Fetching answers from X: polling recent surveys one by one and sweeping events for older ones."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from csat.db import attempt_outcomes, incoming_updates, poll_queue, tables
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.poll_budget_and_sweeps import (
    POLL_BUDGET,
    SWEEP_OVERLAP,
    claim_sweep,
    ensure_feed,
    lock_remaining_budget,
    mark_swept,
)
from csat.surveys.poll_schedule import next_poll, retry_poll
from csat.surveys.responses import Update
from csat.x_api.client import XClient
from sandbox.slack import fixtures
from sandbox.x import Fault, Feedback
from sandbox.x.rate_limits import Endpoint
from tests.databases import SLOW_KINDS, Databases
from tests.factories import NOON, insert_sending, make_update
from tests.world import HASTY, World, is_app_idle, running_world

DAY = timedelta(days=1)


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, pace=HASTY, database_url=url) as world:
        yield world


def disable(world: World, endpoint: Endpoint) -> None:
    """Make an endpoint of X unavailable."""
    world.x.fail(Fault.OVER_CAPACITY, endpoint)


def poll_times(world: World, path: str = "/show/") -> list[datetime]:
    """Return the times of the requests to X whose path contains `path`."""
    return [call.at for call in world.x.requests if path in call.path]


def swept_until(world: World) -> datetime:
    """Return the end of the last event sweep."""
    ((moment,),) = world.rows(tables.feeds.c.swept_until)
    return datetime.fromisoformat(str(moment or "2000-01-01")).replace(tzinfo=None)


def is_account_paused(world: World) -> bool:
    """True if the X account is paused."""
    return world.rows(tables.accounts.c.paused_at) != [(None,)]


def is_running(name: str) -> bool:
    """True if a task of the app with this name is running."""
    return any(task.get_name().startswith(name) for task in asyncio.all_tasks())


async def advance_until(
    world: World, condition: Callable[[], bool], *, seconds: float = 3, hours: float = 0
) -> None:
    """Advance the clock until the condition holds, but not during a sweep, whose lease would expire."""

    def advance_and_check() -> bool:
        if not is_running("sweeping X's events"):
            world.clock.advance(seconds=seconds, hours=hours)
        return condition()

    await world.wait_until(advance_and_check)


async def wait_until_answered(world: World, rating: int, comment: str | None = None) -> None:
    expected = [("answered", rating, comment)]
    await world.wait_until(
        lambda: (
            world.rows(tables.surveys.c.state, tables.surveys.c.rating, tables.surveys.c.comment) == expected
        )
    )


def test_poll_intervals_double_until_two_weeks() -> None:
    ages, now = list[timedelta](), NOON + timedelta(minutes=1)
    while now <= NOON + 14 * DAY:
        ages.append(now - NOON)
        now = next_poll(NOON, now)

    assert ages[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert (len(ages), ages[-1]) == (16, 14 * DAY)


def test_a_failed_poll_is_repeated_at_doubling_intervals_until_the_next_regular_one() -> None:
    now, waits = NOON + 7 * DAY, list[timedelta]()
    while retry_at := retry_poll(NOON, len(waits) + 1, now):
        waits.append(retry_at - now)

    assert waits == [timedelta(minutes=2**number) for number in range(14)]


async def test_a_recent_survey_is_polled(world: World) -> None:
    disable(world, Endpoint.EVENTS)
    sent = await world.send_survey()
    world.x.rate(sent.id, 4)
    await world.advance(seconds=61)
    await wait_until_answered(world, 4)
    await world.advance(seconds=61)
    await world.wait_until(lambda: len(poll_times(world)) == 2)
    world.x.comment(sent.id, "Thank you.")
    await world.advance(minutes=3)
    await wait_until_answered(world, 4, "Thank you.")

    assert len(poll_times(world)) == 3
    assert world.rows(tables.surveys.c.poll_at) == [(None,)]


async def test_a_survey_is_polled_before_it_expires_even_after_a_long_downtime(world: World) -> None:
    disable(world, Endpoint.EVENTS)
    sent = await world.send_survey()
    world.x.rate(sent.id, 5)
    await world.advance(days=20)

    await wait_until_answered(world, 5)
    assert world.rows(tables.outbox.c.kind, where=tables.outbox.c.kind == "expired") == []


async def test_an_older_answer_is_found_by_the_event_sweep(world: World) -> None:
    disable(world, Endpoint.SHOW)
    sent = await world.send_survey()
    world.x.adds_empty_pages = True
    await world.advance(days=5)
    world.x.rate(sent.id, 2)
    world.x.comment(sent.id, "Slow.")
    await world.advance(hours=25)

    await wait_until_answered(world, 2, "Slow.")


async def test_event_sweeps_continue_in_bounded_overlapping_spans(world: World) -> None:
    await world.send_survey()
    await world.advance(days=4)
    await world.wait_until(
        lambda: swept_until(world) > world.clock().replace(tzinfo=None) - timedelta(hours=25)
    )
    requests = [call for call in world.x.requests if call.path.endswith("/events.json")]
    spans = [(int(request.params["from_time"]), int(request.params["to_time"])) for request in requests]

    for (_, end), (begin, _) in itertools.pairwise(spans):
        assert begin == pytest.approx(end - SWEEP_OVERLAP.total_seconds() * 1000, abs=2)
    assert max(end - begin for begin, end in spans) <= DAY.total_seconds() * 1000
    assert world.x.rate_limits[Endpoint.EVENTS].used < 10


async def test_an_interrupted_sweep_is_repeated_from_its_beginning(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    disable(world, Endpoint.SHOW)
    sent = await world.send_survey()
    world.x.rate(sent.id, 3)
    world.x.fail(Fault.TRUNCATED, Endpoint.EVENTS, times=1)
    await world.advance(hours=26)
    await world.wait_until(lambda: "Periodic task failed, retrying later: sweeping X's events" in caplog.text)
    swept = swept_until(world)
    await world.advance(minutes=2)
    await wait_until_answered(world, 3)
    assert swept <= sent.created_at.replace(tzinfo=None)


async def test_a_survey_expires_after_two_weeks_but_a_late_answer_still_counts(
    world: World,
) -> None:
    disable(world, Endpoint.EVENTS)
    sent = await world.send_survey()
    await world.advance(days=13)
    await world.wait_until(lambda: len(poll_times(world)) == 1)
    assert world.states() == ["sent"]
    await world.advance(days=1)
    await world.wait_until(lambda: len(poll_times(world)) == 2)
    await world.advance(minutes=11)
    await world.wait_for_message("No answer within two weeks.")
    world.x.recover(Endpoint.EVENTS)
    world.x.rate(sent.id, 5)
    await world.advance(hours=25)
    await advance_until(world, lambda: world.states() == ["answered"])

    await world.wait_for_message("They answered.")
    assert len(world.app_messages()) == 1


async def test_polling_stays_within_the_rate_limit(world: World) -> None:
    with world.engine.begin() as connection:
        connection.execute(
            tables.feeds.update().values(requests_used=POLL_BUDGET - 2, window_started_at=world.clock())
        )
    for handle in ("mira_k", "sofie_l", "benitez_leo"):
        await world.send_survey(f"/csat @{handle}")
    await world.advance(minutes=1)
    await world.wait_until(lambda: len(poll_times(world)) == 2)
    assert world.rows(tables.feeds.c.requests_used) == [(POLL_BUDGET,)]
    await world.advance(minutes=16)
    await world.wait_until(lambda: len(poll_times(world)) == 5)

    assert world.rows(tables.feeds.c.requests_used) == [(3,)]


async def test_polling_pauses_until_the_rate_limit_resets(world: World) -> None:
    world.x.fail(Fault.RATE_LIMITED, Endpoint.SHOW, times=1)
    sent = await world.send_survey()
    world.x.rate(sent.id, 4)
    await world.advance(minutes=1)
    await wait_until_paused(world)
    for minutes in (14, 2):
        await world.advance(minutes=minutes)
    await wait_until_answered(world, 4)

    first, second = poll_times(world)
    assert second - first >= timedelta(minutes=15)


async def test_polling_pauses_after_an_error_of_the_account_and_resumes(world: World) -> None:
    world.x.fail(Fault.TOKEN_REVOKED, Endpoint.SHOW, times=1)
    sent = await world.send_survey()
    world.x.rate(sent.id, 4)
    await world.advance(minutes=1)
    await wait_until_paused(world)
    await world.advance(minutes=2)

    await wait_until_answered(world, 4)


@pytest.mark.parametrize("endpoint", [Endpoint.SHOW, Endpoint.EVENTS])
async def test_keys_that_x_rejects_while_polling_pause_the_account_until_they_work(
    world: World, endpoint: Endpoint
) -> None:
    await world.send_survey()
    for failing in (endpoint, Endpoint.ME):
        world.x.fail(Fault.WRONG_KEYS, failing)
    await advance_until(world, lambda: is_account_paused(world), hours=1)
    await world.submit_survey("/csat @sofie_l")
    await world.wait_until(is_app_idle)
    assert len(world.x.feedbacks) == 1

    world.x.recover()
    await advance_until(world, lambda: not is_account_paused(world), seconds=60)
    await world.wait_for_feedback(2)


async def test_a_permission_that_is_missing_for_polls_alone_does_not_pause_the_account(world: World) -> None:
    await world.send_survey()
    world.x.fail(Fault.WRONG_PLAN, Endpoint.SHOW)
    await world.advance(minutes=1)
    await wait_until_paused(world)

    assert not is_account_paused(world)
    await world.send_survey("/csat @sofie_l")


async def test_polls_that_go_on_failing_do_not_delay_the_probe_of_the_account(world: World) -> None:
    sent = await world.send_survey()
    await world.wait_until(lambda: poll_times(world, "/2/users/me"))  # at the start
    world.x.fail(Fault.WRONG_KEYS, Endpoint.SHOW)
    await world.advance(minutes=1)
    await world.wait_until(lambda: is_account_paused(world))
    await world.advance(minutes=2)
    await wait_for_polls(world, sent, 2)
    await world.advance(minutes=3)

    await world.wait_until(lambda: len(poll_times(world, "/2/users/me")) > 1)


@pytest.mark.parametrize("fault", [Fault.OVER_CAPACITY, Fault.BAD_GATEWAY, Fault.HTML, Fault.OVERSIZED])
async def test_a_poll_that_fails_is_repeated_and_delays_no_other(world: World, fault: Fault) -> None:
    first, second = await world.send_survey(), await world.send_survey("/csat @sofie_l")
    world.x.rate(first.id, 4)
    world.x.rate(second.id, 4)
    world.x.fail(fault, Endpoint.SHOW, times=1)
    await world.advance(minutes=1)
    await world.wait_until(lambda: sorted(world.states()) == ["answered", "sent"])
    await world.advance(minutes=2)

    await world.wait_until(lambda: world.states() == ["answered"] * 2)


async def test_a_poll_whose_connection_breaks_is_repeated(world: World) -> None:
    sent = await world.send_survey()
    world.x.rate(sent.id, 4)
    world.x.fail(Fault.RESET, Endpoint.SHOW, times=1)
    await world.advance(minutes=1)
    await wait_for_polls(world, sent, 1)
    await world.advance(minutes=2)

    await wait_until_answered(world, 4)


async def test_a_survey_that_x_never_shows_is_asked_for_less_and_less_and_expires(world: World) -> None:
    disable(world, Endpoint.EVENTS)
    broken, sent = await world.send_survey(), await world.send_survey("/csat @sofie_l")
    world.x.unavailable.add(broken.id)
    await world.advance(days=7)
    await wait_for_polls(world, broken, 1)
    for hours in (1, 2, 4, 8, 16, 32, 64):
        before = len(polls_of(world, broken))
        await world.advance(hours=hours)
        await wait_for_polls(world, broken, before + 1)
    world.x.rate(sent.id, 4)
    await world.advance(days=2)
    await world.wait_until(lambda: world.states() == ["sent", "answered"])
    await advance_until(world, lambda: world.states() == ["expired", "answered"], hours=1)

    assert len(polls_of(world, broken)) < 30


async def test_the_last_poll_is_repeated_before_a_survey_expires(world: World) -> None:
    disable(world, Endpoint.EVENTS)
    sent = await world.send_survey()
    await world.advance(days=13)
    await wait_for_polls(world, sent, 1)
    world.x.rate(sent.id, 5)
    world.x.unavailable.add(sent.id)
    await world.advance(days=1)
    await wait_for_polls(world, sent, 2)
    world.x.unavailable.clear()
    await world.advance(minutes=1)

    await wait_until_answered(world, 5)
    assert world.rows(tables.outbox.c.kind, where=tables.outbox.c.kind == "expired") == []


async def test_an_unexpected_error_costs_one_survey_its_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sent = await world.send_survey(), await world.send_survey("/csat @sofie_l")
    world.x.rate(sent.id, 4)
    show = XClient.show_feedback

    async def show_or_crash(client: XClient, feedback_id: str) -> Update:
        if feedback_id == broken.id:
            raise ZeroDivisionError
        return await show(client, feedback_id)

    monkeypatch.setattr(XClient, "show_feedback", show_or_crash)
    await world.advance(minutes=1)

    await world.wait_until(lambda: world.states() == ["sent", "answered"])


async def test_a_response_that_can_not_be_stored_costs_one_survey_its_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    disable(world, Endpoint.EVENTS)
    broken, sent = await world.send_survey(), await world.send_survey("/csat @sofie_l")
    world.x.rate(broken.id, 4)
    world.x.rate(sent.id, 4)
    refuse_to_store(monkeypatch, broken.id)
    await world.advance(minutes=1)

    await world.wait_until(lambda: world.states() == ["sent", "answered"])


def refuse_to_store(monkeypatch: pytest.MonkeyPatch, feedback_id: str) -> None:
    """Let the database reject the updates of one survey."""
    apply = incoming_updates.apply_update

    def apply_or_fail(connection: Connection, update: Update, *others: Any) -> incoming_updates.UpdateOutcome:
        if update.receipt.id == feedback_id:
            raise DatabaseError("the row is rejected")
        return apply(connection, update, *others)

    monkeypatch.setattr(incoming_updates, "apply_update", apply_or_fail)


@pytest.mark.parametrize("reason", ["too large", "not stored"])
async def test_events_that_can_not_be_read_do_not_end_the_sweeps(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    disable(world, Endpoint.SHOW)
    broken, sent = await world.send_survey(), await world.send_survey("/csat @sofie_l")
    await world.advance(hours=3)
    world.x.rate(broken.id, 4)
    if reason == "too large":
        world.x.comment(broken.id, "x" * 1_100_000)
    else:
        refuse_to_store(monkeypatch, broken.id)
    await world.advance(hours=3)
    world.x.rate(sent.id, 4)
    await world.advance(hours=26)
    await advance_until(world, lambda: world.states()[1] == "answered", seconds=20)

    assert "are skipped" in caplog.text
    assert world.states() == ["sent", "answered"]


def polls_of(world: World, feedback: Feedback) -> list[datetime]:
    """Return the times of the polls of a survey."""
    return poll_times(world, f"/show/{feedback.id}")


async def wait_for_polls(world: World, feedback: Feedback, number: int) -> None:
    """Wait until a survey has been polled so often, and the result is stored."""
    await world.wait_until(lambda: len(polls_of(world, feedback)) >= number)
    await world.wait_until(lambda: not is_running("polling X"))


async def wait_until_paused(world: World) -> None:
    await world.wait_until(lambda: world.rows(tables.feeds.c.requests_used) == [(POLL_BUDGET,)])


async def test_a_survey_unknown_to_x_does_not_block_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    unknown, sent = await world.send_survey(), await world.send_survey("/csat @sofie_l")
    world.x.delete_feedback(unknown.id)
    world.x.rate(sent.id, 4)
    await world.advance(minutes=1)
    await world.wait_until(
        lambda: world.rows(tables.surveys.c.state, where=tables.surveys.c.id == 2) == [("answered",)]
    )

    assert f"X does not show feedback {unknown.id}" in caplog.text


@pytest.mark.parametrize("other", [Endpoint.SHOW, Endpoint.EVENTS])
async def test_a_comment_that_is_not_unicode_is_stored_with_replacements(
    world: World, other: Endpoint
) -> None:
    disable(world, other)
    sent = await world.send_survey()
    world.x.rate(sent.id, 4)
    world.x.comment(sent.id, "Fast\0 and friendly \ud83d")
    await world.advance(hours=26)

    await wait_until_answered(world, 4, "Fast and friendly \ufffd")


async def test_invalid_feedback_is_logged_and_polled_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.x.fail(Fault.IDS_MISSING, Endpoint.SHOW, times=1)
    sent = await world.send_survey()
    await world.advance(minutes=1)
    await world.wait_until(lambda: "Feedback rejected: feedback without an id" in caplog.text)
    world.x.rate(sent.id, 4)
    await world.advance(minutes=2)

    await wait_until_answered(world, 4)


async def test_a_survey_confirmed_by_its_requester_is_matched_by_the_event_sweep(world: World) -> None:
    world.x.fail(Fault.BAD_GATEWAY_AFTER, times=1)
    await world.submit_survey("/csat @mira_k")
    prompt = await world.wait_for_dm("may not have arrived")
    await world.workspace.click(fixtures.ADA, "survey_arrived", channel=prompt.channel, ts=prompt.ts)
    await world.wait_for_message("sent a survey to @mira_k")
    world.x.rate(world.x.feedbacks[0].id, 4)
    await world.advance(hours=26)

    await wait_until_answered(world, 4)
    assert world.rows(tables.surveys.c.feedback_id) == [(world.x.feedbacks[0].id,)]


async def test_concurrent_instances_poll_each_survey_once_within_one_budget(
    database: Database,
) -> None:
    await database.run(ensure_feed, "A1")
    for number in range(6):
        await database.run(insert_sent, f"V{number}", f"90{number}")
    later = NOON + timedelta(minutes=1)
    claims = await asyncio.gather(*(database.run(poll_queue.claim, "A1", later, 2) for _ in range(8)))

    claimed = [poll.feedback_id for claim in claims for poll in claim]
    assert sorted(claimed) == [f"90{number}" for number in range(6)]
    assert await database.run(lock_remaining_budget, "A1", later) == POLL_BUDGET - 6


def insert_sent(connection: Connection, view_id: str, feedback_id: str) -> None:
    record = insert_sending(connection, view_id)
    attempt_outcomes.mark_sent(connection, record.id, 1, make_update(feedback_id=feedback_id).receipt, NOON)


async def test_only_one_instance_sweeps_events_at_a_time(database: Database) -> None:
    await database.run(ensure_feed, "A1")
    await database.run(insert_sent, "V1", "900")
    later = NOON + timedelta(days=5)
    spans = await asyncio.gather(*(database.run(claim_sweep, "A1", later) for _ in range(8)))

    (span,) = [span for span in spans if span]
    await database.run(mark_swept, "A1", span, later)
    following = await database.run(claim_sweep, "A1", later)
    assert following
    assert following.begin == span.end - SWEEP_OVERLAP


async def test_keys_that_x_rejects_are_logged_once_not_at_every_attempt(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await world.send_survey()
    for endpoint in Endpoint:
        world.x.fail(Fault.WRONG_KEYS, endpoint)
    for customer in ("@sofie_l", "@TomInTransit"):
        await world.submit_survey(f"/csat {customer}")
    await world.wait_until(lambda: is_account_paused(world))
    await advance_until(world, lambda: len(poll_times(world, "/2/users/me")) > 2, seconds=60)

    (reason,) = (record.getMessage() for record in caplog.records if "401" in record.getMessage())
    assert reason.startswith("X refuses every request: it rejects this app's keys (X answered 401")

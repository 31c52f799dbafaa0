"""The weekly digest: when it is posted, how often, and what it says."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bootstrap.lifespan import lifespan
from csat.db import digests, follow_ups, tables
from csat.db.database import Database
from csat.english_dates import format_day
from csat.reporting.periods import last_week
from demo.run import run_demo
from demo.weekly_digest import next_monday
from notifications.digest import due_at
from sandbox.slack import fixtures
from sandbox.slack.blockkit import validate_blocks
from tests.databases import SLOW_KINDS, Databases
from tests.factories import SUPERVISED
from tests.timeouts import GENEROUS, WAIT_SECONDS
from tests.world import HASTY, World, is_app_idle, running_world, visible_text

TITLE = "Last week: "

MOSTLY_IDLE = replace(HASTY, poll_interval=0.5)
"""For further instances: the clock is advanced only while none of them polls."""


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with a results channel, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, pace=HASTY, database_url=url, **SUPERVISED) as world:
        world.workspace.invite_bot(fixtures.LEADS)
        yield world


async def go_to_monday(
    world: World, hour: int = 9, minute: int = 0, *, days: int = 0, zone: str = "UTC"
) -> None:
    """Move the clock to a future Monday, or some days after it."""
    now = datetime.now(ZoneInfo(zone))
    monday = now.date() + timedelta(days=14 - now.weekday() + days)
    target = datetime.combine(monday, time(hour, minute), ZoneInfo(zone))
    await world.wait_until(is_app_idle)
    world.clock.ahead = target - datetime.now(UTC)


async def go_to_just_before_nine(world: World) -> None:
    await go_to_monday(world, 8, 59)


def count_digests(world: World) -> int:
    return world.count_messages(TITLE, fixtures.LEADS, fixtures.CLEO)


async def wait_until_sent(world: World) -> str:
    """Wait until the first digest is sent and return when."""
    sent_at = tables.digests.c.sent_at
    rows = await world.wait_until(lambda: world.rows(sent_at, where=sent_at.is_not(None)))
    return str(rows[0][0])


async def test_on_monday_at_nine_the_digest_compares_last_week_with_the_week_before(world: World) -> None:
    await go_to_just_before_nine(world)
    world.insert_rated([5] * 30 + [1] * 10 + [None] * 20, days_ago=3)
    world.insert_rated([5] * 3 + [1] * 37, days_ago=10)
    world.insert_rated([None], days_ago=20)
    world.insert_rated([9] * 6, metric="nps", days_ago=4, requester=fixtures.BEN)
    await go_to_monday(world)
    message = await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)
    text = visible_text(message)

    for words in (
        "CSAT score: 75% (95% interval 60 to 86) from 40 answers.",
        "Previous 7 days: 8% from 40 answers; up 68 points (95% interval 48 to 80).",
        "60 sent",
        "20 still open",
        "NPS: +100",
        "from 6 answers (few answers).",
    ):
        assert words in text
    assert "left out" not in text
    assert "Response rate" not in text + message.text, "as the surveys of last week are still open"
    assert "75%" in message.text
    assert validate_blocks(message.blocks, "message") == []
    assert world.rows(tables.audit.c.viewer, tables.audit.c.action) == [(fixtures.LEADS, "report")]
    assert " 09:00:" in await wait_until_sent(world)


async def test_the_digest_is_posted_once_by_several_instances_and_after_a_restart(world: World) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(lifespan(world.settings, world.clock, MOSTLY_IDLE))
        await go_to_just_before_nine(world)
        world.insert_rated([5] * 9)
        await go_to_monday(world)
        await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)
        await wait_until_sent(world)
    async with lifespan(world.settings, world.clock, MOSTLY_IDLE):
        await go_to_monday(world, 12)
        await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)

    assert count_digests(world) == 1


async def test_a_digest_missed_during_downtime_is_posted_later_in_the_week(world: World) -> None:
    await go_to_just_before_nine(world)
    world.insert_rated([5] * 9)
    await go_to_monday(world, 17, days=4)

    assert "from 9 answers" in visible_text(
        await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)
    )


async def test_a_week_without_surveys_has_no_digest(world: World) -> None:
    await go_to_just_before_nine(world)
    world.insert_rated([5] * 9, days_ago=10)
    world.insert_rated([5] * 9, days_ago=3, test=True)
    await go_to_monday(world)
    week = str(last_week(world.clock(), ZoneInfo("UTC")).first)
    await world.wait_until(lambda: (week, None) in world.rows(tables.digests.c.week, tables.digests.c.due_at))

    assert count_digests(world) == 0
    assert world.rows(tables.digests.c.sent_at, where=tables.digests.c.sent_at.is_not(None)) == []


async def test_fewer_than_five_answers_show_no_score(world: World) -> None:
    await go_to_just_before_nine(world)
    world.insert_rated([1, 5, 5, 5], comment="SENTINEL")
    await go_to_monday(world)
    message = await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)

    assert "CSAT score: none, with 4 answers" in visible_text(message)
    assert "%" not in visible_text(message).partition("sent")[0]
    assert "SENTINEL" not in str(message)


async def test_surveys_that_supervisors_asked_for_are_left_out_visibly(world: World) -> None:
    await go_to_just_before_nine(world)
    world.insert_rated([5] * 9)
    world.insert_rated([1] * 2, requester=fixtures.CLEO)
    world.insert_rated([9], metric="nps", requester=fixtures.CLEO)
    await go_to_monday(world)
    text = visible_text(await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO))

    assert "CSAT score: 100% (95% interval 70 to 100) from 9 answers" in text
    assert "9 sent (2 of supervisors' own surveys left out)" in text
    assert "0 sent (1 of supervisors' own surveys left out)" in text
    assert not re.search(r"[1-9] low rating", text)
    assert "NPS: no answers (supervisors' own surveys left out)" in text
    assert "left out, so that nobody can work out the answers to theirs" in text


async def test_the_digest_tells_the_low_ratings_that_wait_whatever_their_week(world: World) -> None:
    await go_to_just_before_nine(world)
    world.insert_rated([5] * 9 + [1])
    world.insert_rated([1], days_ago=40)
    world.insert_rated([0], metric="nps", days_ago=50)
    world.insert_rated([1] * 4, requester=fixtures.CLEO, days_ago=60)
    _, assigned, closed = (id_ for (id_,) in world.rows(tables.follow_ups.c.survey_id)[:3])
    with world.engine.begin() as connection:
        follow_ups.take(connection, assigned, fixtures.TEAM, fixtures.CLEO, world.clock())
        follow_ups.close(connection, closed, fixtures.TEAM, fixtures.CLEO, "Called.", world.clock())
    opened = world.rows(tables.follow_ups.c.opened_at, where=tables.follow_ups.c.survey_id == assigned)
    await go_to_monday(world)
    message = await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)

    waiting = (
        f"Low ratings to follow up: 2 in all, 1 unassigned, the oldest since {format_day(opened[0][0])}."
    )
    for text in (visible_text(message), message.text):
        assert waiting in text
        assert text.count("supervisors' own surveys are not counted") == 1


async def test_a_digest_without_open_low_ratings_does_not_speak_of_them(world: World) -> None:
    await go_to_just_before_nine(world)
    world.insert_rated([5] * 9)
    world.insert_rated([1] * 4, requester=fixtures.CLEO, days_ago=60)
    await go_to_monday(world)

    message = await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)
    assert "to follow up" not in visible_text(message)


@pytest.mark.parametrize("error", ["ratelimited", "missing_scope"])
async def test_the_digest_waits_until_slack_tells_who_supervises(tmp_path: Path, error: str) -> None:
    grouped = {**SUPERVISED, "csat_supervisors": {fixtures.AGENTS}}
    async with running_world(tmp_path, pace=HASTY, **grouped) as world:
        world.workspace.invite_bot(fixtures.LEADS)
        await world.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.CLEO])
        await go_to_just_before_nine(world)
        world.insert_rated([5] * 9)
        world.insert_rated([1] * 9, requester=fixtures.CLEO)
        world.workspace.faults.fail("usergroups.users.list", error, times=1_000)
        await go_to_monday(world)
        await world.wait_until(lambda: (1,) in world.rows(tables.digests.c.attempts))
        assert count_digests(world) == 0
        world.workspace.faults.clear()
        await go_to_monday(world, 9, 3)

        message = await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)
        assert "from 9 answers" in visible_text(message)


@pytest.mark.parametrize("error", ["ratelimited", "503"])
async def test_the_digest_is_retried_while_slack_is_unavailable(world: World, error: str) -> None:
    world.workspace.faults.fail("chat.postMessage", error, retry_after=90)
    await go_to_just_before_nine(world)
    world.insert_rated([5] * 9)
    await go_to_monday(world)
    await world.wait_until(lambda: (1,) in world.rows(tables.digests.c.attempts))
    assert count_digests(world) == 0
    await go_to_monday(world, 9, 3)

    await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)


async def test_the_digest_is_posted_once_the_app_joins_the_channel(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.workspace.remove_bot(fixtures.LEADS)
    await go_to_just_before_nine(world)
    world.insert_rated([5] * 9)
    await go_to_monday(world)
    await world.wait_until(lambda: (1,) in world.rows(tables.digests.c.attempts))
    assert "(channel_not_found): invite the app to CSAT_RESULTS_CHANNEL" in caplog.text
    world.workspace.invite_bot(fixtures.LEADS)
    await go_to_monday(world, 9, 31)

    await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)


async def test_monday_begins_in_the_configured_time_zone(tmp_path: Path) -> None:
    zone = "Asia/Tokyo"
    async with running_world(tmp_path, pace=HASTY, csat_timezone=zone, **SUPERVISED) as world:
        world.workspace.invite_bot(fixtures.LEADS)
        await go_to_monday(world, 8, 59, zone=zone)
        world.insert_rated([5] * 9)
        await go_to_monday(world, zone=zone)

        assert "from 9 answers" in visible_text(
            await world.wait_for_message(TITLE, fixtures.LEADS, fixtures.CLEO)
        )
        assert world.clock().astimezone(UTC).hour == 0


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Europe/Berlin", "2026-03-30T05:00", "2026-03-30T07:00"),  # summer time began the day before
        ("Europe/Berlin", "2026-10-26T05:00", "2026-10-26T08:00"),  # and ended the day before
        ("America/New_York", "2026-11-02T04:00", "2026-10-26T13:00"),  # there it is still Sunday
        ("America/New_York", "2026-11-02T05:00", "2026-11-02T14:00"),
        ("Asia/Kathmandu", "2026-11-04T12:00", "2026-11-02T03:15"),
    ],
)
def test_the_digest_is_due_at_nine_local_time(zone: str, now: str, expected: str) -> None:
    week = last_week(datetime.fromisoformat(f"{now}:00+00:00"), ZoneInfo(zone))

    assert due_at(week) == datetime.fromisoformat(f"{expected}:00+00:00")


async def test_in_the_demo_monday_comes_whenever_somebody_asks_for_it() -> None:
    async with run_demo(timeouts=GENEROUS) as sandbox:
        await sandbox.workspace.wait_until(lambda: sandbox.workspace.connection_count)
        digest, sample_data = sandbox.page.digest, sandbox.page.sample_data

        def digests_posted() -> int:
            messages = sandbox.workspace.messages(sandbox.results_channel, fixtures.CLEO)
            return sum(TITLE in visible_text(message) for message in messages)

        async def let_monday_come() -> str:
            digest.request()
            await sandbox.workspace.wait_until(lambda: not digest.is_running, timeout_seconds=WAIT_SECONDS)
            return digest.status

        assert "There is no digest: no surveys in the week" in await let_monday_come()
        sample_data.request()
        await sandbox.workspace.wait_until(lambda: sample_data.is_done, timeout_seconds=WAIT_SECONDS)
        for number in (1, 2):
            assert "is in #csat-results. Open it as Cleo." in await let_monday_come()
            assert digests_posted() == number


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("UTC", "2026-11-29T05:00", "2026-11-30T09:00"),
        ("UTC", "2026-11-30T05:00", "2026-11-30T09:00"),
        ("UTC", "2026-11-30T23:00", "2026-11-30T09:00"),
        ("UTC", "2026-12-01T05:00", "2026-12-07T09:00"),
        ("Asia/Tokyo", "2026-11-30T16:00", "2026-12-07T00:00"),
    ],
)
def test_the_next_monday_of_the_demo(zone: str, now: str, expected: str) -> None:
    monday = next_monday(datetime.fromisoformat(f"{now}:00+00:00"), ZoneInfo(zone))

    assert monday == datetime.fromisoformat(f"{expected}:00+00:00")


async def test_a_digest_can_be_claimed_again_after_the_lease_expires(database: Database) -> None:
    now = datetime(2026, 3, 9, 9, tzinfo=UTC)
    week = ("T1", "2026-03-02")

    assert await database.run(digests.claim, *week, now)
    assert not await database.run(digests.claim, *week, now + digests.CLAIM_LEASE / 2)
    assert await database.run(digests.claim, *week, now + digests.CLAIM_LEASE)
    await database.run(digests.mark_sent, *week, now)
    assert not await database.run(digests.claim, *week, now + timedelta(days=1))
    assert await database.read(digests.is_finished, *week)

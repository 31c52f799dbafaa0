"""Short versions of the cases of `make torture`, and related tests of the send worker."""

import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bench.torture import faults, instances, kills, responses, storage
from bench.torture.checker import CaseResult
from bench.torture.harness import Harness, open_harness
from bench.torture.processes import AppProcesses
from csat.db import send_queue, tables
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.submissions import Submission, accept
from csat.surveys.limits import Limits
from sandbox.slack import fixtures
from tests.databases import KINDS, Databases
from tests.factories import make_origin, make_survey
from tests.world import PACE, World, running_world

SOCKET_MODE = " over Socket Mode"


@pytest.fixture(name="processes", scope="module")
def _processes() -> AppProcesses:
    return AppProcesses()


@pytest.fixture(name="harness", params=KINDS)
async def _harness(
    processes: AppProcesses, databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Harness]:
    kind, socket_mode = request.param.removesuffix(SOCKET_MODE), request.param.endswith(SOCKET_MODE)
    async with open_harness(processes, databases, kind, tmp_path, socket_mode=socket_mode) as harness:
        yield harness
    assert harness.unexpected_errors() == []


on_sqlite = pytest.mark.parametrize("harness", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("harness", [f"postgresql{SOCKET_MODE}"], indirect=True)
EVEN, ODD = slice(0, None, 2), slice(1, None, 2)


@pytest.fixture(name="rng")
def _rng() -> random.Random:
    return random.Random(20260)  # noqa: S311 - repeatable


def assert_passed(result: CaseResult) -> None:
    assert result.failures == []
    assert result.passed
    assert result.submitted
    assert not result.unconfirmed


@pytest.mark.parametrize("failpoint", ["accept:after", "begin_attempt:after", "mark_sent:before"])
async def test_no_survey_is_lost_or_duplicated_when_the_app_is_killed_between_transactions(
    harness: Harness, rng: random.Random, failpoint: str
) -> None:
    result = await kills.kill_at_failpoint(harness, rng, 2, failpoint)

    assert_passed(result)
    assert result.kills == 2


async def test_a_survey_in_flight_during_a_kill_is_settled_a_day_later_as_x_recorded_it(
    harness: Harness, rng: random.Random
) -> None:
    result = await kills.kill_at_failpoint(harness, rng, 2, "x_create:sent")

    assert_passed(result)
    assert result.settled_right == result.uncertain >= result.kills == 2


@on_sqlite
async def test_no_survey_is_lost_or_duplicated_when_the_app_is_killed_at_random(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await kills.kill_at_random(harness, rng, 3))


@pytest.mark.parametrize(("harness", "part"), [("sqlite", EVEN), ("postgresql", ODD)], indirect=["harness"])
async def test_no_survey_is_lost_or_duplicated_when_x_fails(
    harness: Harness, rng: random.Random, part: slice
) -> None:
    result = await faults.inject_x_faults(harness, rng, 1, part)

    assert_passed(result)
    assert result.uncertain
    assert result.refused


@pytest.mark.parametrize(
    ("harness", "part"),
    [(f"sqlite{SOCKET_MODE}", EVEN), (f"postgresql{SOCKET_MODE}", ODD)],
    indirect=["harness"],
)
async def test_no_survey_is_lost_or_duplicated_when_slack_fails(
    harness: Harness, rng: random.Random, part: slice
) -> None:
    assert_passed(await faults.inject_slack_faults(harness, rng, 1, part))


async def test_no_response_is_lost_or_counted_twice_in_whatever_order_events_arrive(
    harness: Harness, rng: random.Random
) -> None:
    result = await responses.push_responses(harness, rng, 400, surveys=24, step=2 * 86_400)

    assert_passed(result)
    assert result.responses == result.responses_stored > result.kills


@on_postgresql
async def test_an_instance_takes_over_the_surveys_of_a_killed_one(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await instances.kill_one(harness, rng, 1))


@on_postgresql
@pytest.mark.parametrize("failpoint", ["begin_attempt:after", "x_create:sent"])
async def test_an_instance_may_resume_after_its_attempts_were_marked_uncertain(
    harness: Harness, rng: random.Random, failpoint: str
) -> None:
    result = await instances.freeze_one(harness, rng, 1, [failpoint])

    assert_passed(result)
    assert result.uncertain >= result.kills == 1


@on_postgresql
async def test_no_survey_is_lost_or_duplicated_when_postgresql_restarts(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await instances.restart_server(harness, rng, 2))


@on_sqlite
async def test_no_survey_is_lost_or_duplicated_while_another_process_locks_the_sqlite_file(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await storage.lock_file(harness, rng, 3))


@on_sqlite
async def test_no_survey_is_lost_or_duplicated_while_the_sqlite_file_is_full(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await storage.fill_file(harness, rng, 1))


async def test_a_survey_that_could_not_begin_is_sent_when_the_ledger_is_back(
    any_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as away:
        away.setattr(send_queue, "begin_attempt", _away)
        await any_world.submit_survey("/csat @mira_k")
        any_world.notify_after.set()
        await any_world.wait_for_message("Waiting for X...")
    await any_world.advance(seconds=13)
    await any_world.wait_for_feedback()
    await any_world.wait_for_message("asked")

    assert "Reference" not in caplog.text


async def test_the_dispatcher_goes_on_looking_when_more_wait_than_it_sends_at_once(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pace = replace(PACE, poll_interval=0.02, concurrency=1)
    async with running_world(tmp_path, database_url=database_url, pace=pace) as world:
        with world.x.hold() as hold:
            for user, customer in (
                (fixtures.ADA, "mira_k"),
                (fixtures.BEN, "sofie_l"),
                (fixtures.CLEO, "benitez_leo"),
            ):
                await world.submit_survey(f"/csat @{customer}", user)
            await hold.arrived.wait()
            assert sorted(world.states()) == ["accepted", "accepted", "sending"]

            await leave_one(world)
            await world.wait_until(lambda: "gone" not in owners(world))
        await world.wait_for_feedback(3)

    assert "can't be polled" not in caplog.text


async def test_what_a_dead_instance_left_is_taken_up_by_one_that_is_busy_all_the_time(tmp_path: Path) -> None:
    async with running_world(tmp_path, pace=replace(PACE, poll_interval=0.02, concurrency=1)) as world:
        with world.x.hold(after=False) as hold:
            await world.submit_survey("/csat @mira_k")
            await hold.arrived.wait()
            await leave_one(world)
            await world.wait_until(lambda: "gone" not in owners(world))

            assert world.states() == ["sending", "accepted"]


async def leave_one(world: World) -> None:
    """Accept a survey as an instance that died a minute ago."""
    submission = Submission(
        "V-left", make_survey(), make_origin(), world.settings.x_account_id, "gone", "its customer"
    )
    with contextlib.closing(Database(world.database_url)) as database:
        await database.run(accept, submission, Limits(), world.clock() - timedelta(minutes=1))


def owners(world: World) -> set[str]:
    return {owner for (owner,) in world.rows(tables.surveys.c.lease_owner)}


def _away(*_: object) -> None:
    raise DatabaseError("the ledger is away")

"""The app killed and cut off, in short: `make torture` does it for longer; X's own record judges."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.torture import faults, instances, kills, responses, storage
from bench.torture.checker import Verdict
from bench.torture.harness import LOG, Stage, staged
from bench.torture.processes import Herd
from csat.db import send_queue
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.submissions import Submission, accept
from csat.delivery.send_worker import WorkerConfig
from csat.surveys.limits import Limits
from sandbox.slack import fixtures
from sandbox.x import Fault
from tests.databases import KINDS, Databases
from tests.samples import origin, survey
from tests.world import World, living


@pytest.fixture(name="herd", scope="module")
def _herd() -> Herd:
    return Herd()


BY_SOCKET = " by socket"


@pytest.fixture(name="stage", params=KINDS)
async def _stage(
    herd: Herd, databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Stage]:
    kind, socket = request.param.removesuffix(BY_SOCKET), request.param.endswith(BY_SOCKET)
    async with staged(herd, databases, kind, tmp_path, socket=socket) as stage:
        yield stage
    assert "Reference" not in (tmp_path / LOG).read_text()


on_sqlite = pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("stage", [f"postgresql{BY_SOCKET}"], indirect=True)
EVEN, ODD = slice(0, None, 2), slice(1, None, 2)


@pytest.fixture(name="rng")
def _rng() -> random.Random:
    return random.Random(20260)  # noqa: S311 - to be repeatable


def check(verdict: Verdict) -> None:
    assert verdict.wrong_ones == []
    assert verdict.fine
    assert verdict.submitted
    assert not verdict.unconfirmed


@pytest.mark.parametrize("point", ["accept:after", "begin:after", "sent:before"])
async def test_nothing_is_lost_or_sent_twice_however_it_is_killed(
    stage: Stage, rng: random.Random, point: str
) -> None:
    verdict = await kills.at_point(stage, rng, 2, point)

    check(verdict)
    assert verdict.kills == 2


async def test_what_was_on_its_way_to_x_is_settled_a_day_later_as_x_recorded_it(
    stage: Stage, rng: random.Random
) -> None:
    verdict = await kills.at_point(stage, rng, 2, "post:left")

    check(verdict)
    assert verdict.right == verdict.uncertain >= verdict.kills == 2


@on_sqlite
async def test_nothing_is_lost_or_sent_twice_whenever_it_is_killed(stage: Stage, rng: random.Random) -> None:
    check(await kills.at_random(stage, rng, 3))


@pytest.mark.parametrize(("stage", "part"), [("sqlite", EVEN), ("postgresql", ODD)], indirect=["stage"])
async def test_nothing_is_lost_or_sent_twice_whatever_troubles_x_has(
    stage: Stage, rng: random.Random, part: slice
) -> None:
    verdict = await faults.at_x(stage, rng, 1, part)

    check(verdict)
    assert verdict.uncertain
    assert verdict.refused


@pytest.mark.parametrize(
    ("stage", "part"),
    [(f"sqlite{BY_SOCKET}", EVEN), (f"postgresql{BY_SOCKET}", ODD)],
    indirect=["stage"],
)
async def test_nothing_is_lost_or_sent_twice_whatever_troubles_slack_has(
    stage: Stage, rng: random.Random, part: slice
) -> None:
    check(await faults.at_slack(stage, rng, 1, part))


async def test_no_answer_is_lost_or_counted_twice_in_whatever_order_they_come(
    stage: Stage, rng: random.Random
) -> None:
    verdict = await responses.in_any_order(stage, rng, 400, surveys=24, step=2 * 86_400)

    check(verdict)
    assert verdict.answered == verdict.known > verdict.kills


@on_postgresql
async def test_one_instance_takes_over_what_another_left_that_was_killed(
    stage: Stage, rng: random.Random
) -> None:
    check(await instances.one_killed(stage, rng, 1))


@on_postgresql
@pytest.mark.parametrize("point", ["begin:after", "post:left"])
async def test_an_instance_that_stood_still_comes_back_when_its_attempts_are_declared_uncertain(
    stage: Stage, rng: random.Random, point: str
) -> None:
    verdict = await instances.one_stopped(stage, rng, 1, [point])

    check(verdict)
    assert verdict.uncertain >= verdict.kills == 1


@on_postgresql
async def test_nothing_is_lost_or_sent_twice_while_the_server_restarts(
    stage: Stage, rng: random.Random
) -> None:
    check(await instances.restarted(stage, rng, 2))


@on_sqlite
async def test_nothing_is_lost_or_sent_twice_while_another_process_locks_the_file(
    stage: Stage, rng: random.Random
) -> None:
    check(await storage.locked(stage, rng, 3))


@on_sqlite
async def test_nothing_is_lost_or_sent_twice_while_the_file_is_full(stage: Stage, rng: random.Random) -> None:
    check(await storage.full(stage, rng, 1))


async def test_a_survey_that_could_not_begin_is_sent_when_the_ledger_is_back(
    any_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as away:
        away.setattr(send_queue, "begin", _away)
        await any_world.opened("/csat @mira_k")
        await any_world.workspace.submit_view(fixtures.ADA)
        await any_world.message("Waiting for X...")
    any_world.clock.advance(seconds=13)
    await any_world.sent()
    await any_world.message("asked")

    assert "Reference" not in caplog.text


async def test_the_dispatcher_goes_on_looking_when_more_wait_than_it_sends_at_once(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pace = WorkerConfig(notify_after=9, poll_interval=0.02, concurrency=1)
    async with living(tmp_path, database_url=database_url, pace=pace) as world:
        world.x.delay_seconds = 0.2
        world.x.fail(Fault.SLOW)
        for user, customer in (
            (fixtures.ADA, "mira_k"),
            (fixtures.BEN, "sofie_l"),
            (fixtures.CLEO, "benitez_leo"),
        ):
            await world.opened(f"/csat @{customer}", user)
            await world.workspace.submit_view(user)
        waiting = world.database(
            "select count(*) from surveys where state = 'accepted' and lease_owner <> ''"
        )
        await world.sent(3)

    assert waiting == [(2,)]
    assert "can't be read" not in caplog.text


async def test_what_a_dead_instance_left_is_taken_up_by_one_that_is_busy_all_the_time(tmp_path: Path) -> None:
    pace = WorkerConfig(notify_after=9, poll_interval=0.02, concurrency=1)
    async with living(tmp_path, pace=pace) as world:
        world.x.delay_seconds = 4.0
        world.x.fail(Fault.SLOW)
        await world.opened("/csat @mira_k")
        await world.workspace.submit_view(fixtures.ADA)
        await world.until(lambda: world.database("select state from surveys") == [("sending",)])
        await leave_one(world)
        world.clock.advance(seconds=13)
        await world.until(lambda: "gone" not in owners(world))

        assert world.database("select state from surveys order by id") == [("sending",), ("accepted",)]


async def leave_one(world: World) -> None:
    """Accept a survey as an instance that is gone thereafter."""
    database = Database(world.database_url)
    submission = Submission("V-left", survey(), origin(), world.settings.x_account, "gone", "its customer")
    await database.run(accept, submission, Limits(), world.clock())
    database.close()


def owners(world: World) -> set[str]:
    return {owner for (owner,) in world.database("select lease_owner from surveys")}


def _away(*_: object) -> None:
    raise DatabaseError("the ledger is away")

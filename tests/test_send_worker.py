"""The send worker when the database is away, the queue is long, or another instance has died."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bootstrap.lifespan import lifespan
from csat.db import send_queue, tables
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.submissions import Submission, accept
from csat.surveys.limits import Limits
from sandbox.slack import fixtures
from sandbox.x import Endpoint
from tests.factories import make_origin, make_survey
from tests.timeouts import GENEROUS, WITHOUT_LOOK_UP
from tests.world import PACE, World, running_world


async def test_a_survey_that_could_not_start_is_sent_once_the_database_is_back(
    any_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as away:
        away.setattr(send_queue, "begin_attempt", _away)
        await any_world.submit_survey("/csat @mira_k")
        any_world.notify_after.set()
        await any_world.wait_for_dm("Queued")
    await any_world.advance(seconds=13)
    await any_world.wait_for_feedback()
    await any_world.wait_for_message("sent a survey")

    assert "Reference" not in caplog.text


async def test_the_send_worker_keeps_polling_while_more_surveys_wait_than_it_sends_at_once(
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


async def test_of_two_instances_that_resolve_a_customer_the_one_that_lost_its_claim_changes_nothing(
    database_url: str, tmp_path: Path
) -> None:
    never_polls = replace(PACE, poll_interval=3600)
    async with running_world(
        tmp_path, database_url=database_url, pace=never_polls, timeouts=WITHOUT_LOOK_UP
    ) as world:
        with world.x.hold(Endpoint.LOOKUP) as slow_lookup:
            await world.submit_survey("/csat @mira_k")
            await slow_lookup.arrived.wait()
            await world.wait_until(lambda: count_tasks("sending survey") == 1)
            with world.x.hold(Endpoint.LOOKUP) as lookup, world.x.hold() as sending:
                world.clock.advance(seconds=13)
                async with second_instance(world):
                    await lookup.arrived.wait()
                    lookup.release()
                    await sending.arrived.wait()
                    slow_lookup.release()
                    await world.wait_until(lambda: count_tasks("sending survey") == 1)

                    assert world.states() == ["sending"]
                    sending.release()
                    await world.wait_for_message("sent a survey")

        assert world.states() == ["sent"]
        assert len(world.x.feedbacks) == 1
        assert not world.find_dm("not sent")


@contextlib.asynccontextmanager
async def second_instance(world: World) -> AsyncIterator[None]:
    """Run another instance of the app on the same database."""
    settings = world.settings.model_copy(update={"slack_app_token": None})
    async with lifespan(settings, world.clock, PACE):
        yield


def count_tasks(name: str) -> int:
    """Return how many tasks of all instances have a name that begins so."""
    return sum(task.get_name().startswith(name) for task in asyncio.all_tasks())


async def leave_one(world: World) -> None:
    """Accept a survey as an instance that died a minute ago."""
    submission = Submission(
        "V-left", make_survey(), make_origin(), world.settings.x_account_id, "gone", "its customer"
    )
    with contextlib.closing(Database(world.database_url, GENEROUS)) as database:
        await database.run(accept, submission, Limits(), world.clock() - timedelta(minutes=1))


def owners(world: World) -> set[str]:
    return {owner for (owner,) in world.rows(tables.surveys.c.lease_owner)}


def _away(*_: object) -> None:
    raise DatabaseError("the database is away")

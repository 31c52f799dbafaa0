"""The app killed and cut off, in short: `make torture` does it for longer; X's own record judges."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.torture import kills, storage
from bench.torture.herd import Herd
from bench.torture.judge import Verdict
from bench.torture.stage import LOG, Stage, staged
from ledger import sending
from ledger.errors import LedgerError
from sandbox.slack import cast
from sandbox.x import Trouble
from sender.dispatcher import Pace
from tests.databases import KINDS, Databases
from tests.world import World, living


@pytest.fixture(name="herd", scope="module")
def _herd() -> Herd:
    return Herd()


@pytest.fixture(name="stage", params=KINDS)
async def _stage(
    herd: Herd, databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Stage]:
    async with staged(herd, databases, request.param, tmp_path) as stage:
        yield stage
    assert "Reference" not in (tmp_path / LOG).read_text()


@pytest.fixture(name="rng")
def _rng() -> random.Random:
    return random.Random(20260)  # noqa: S311 - to be repeatable


def check(verdict: Verdict) -> None:
    assert verdict.wrong_ones == []
    assert verdict.fine
    assert verdict.submitted
    assert verdict.uncertain == verdict.right
    assert verdict.sent_once == verdict.confirmed


@pytest.mark.parametrize("point", ["accept:after", "begin:after", "post:left", "sent:before"])
async def test_nothing_is_lost_or_sent_twice_however_it_is_killed(
    stage: Stage, rng: random.Random, point: str
) -> None:
    verdict = await kills.at_point(stage, rng, 2, point)

    check(verdict)
    assert verdict.kills == 2


@pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
async def test_nothing_is_lost_or_sent_twice_while_the_file_is_full(stage: Stage, rng: random.Random) -> None:
    check(await storage.full(stage, rng, 1))


async def test_a_survey_that_could_not_begin_is_sent_when_the_ledger_is_back(
    any_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as away:
        away.setattr(sending, "begin", _away)
        await any_world.opened("/csat @mira_k")
        await any_world.workspace.submit(cast.ADA)
        await any_world.message("Waiting for X...")
    any_world.clock.advance(seconds=13)
    await any_world.sent()
    await any_world.message("asked")

    assert "Reference" not in caplog.text


async def test_the_dispatcher_goes_on_looking_when_more_wait_than_it_sends_at_once(
    database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pace = Pace(patience=9, poll=0.02, concurrency=1)
    async with living(tmp_path, database_url=database, pace=pace) as world:
        world.x.trouble, world.x.delay = Trouble.SLOW, 0.2
        for user, customer in ((cast.ADA, "mira_k"), (cast.BEN, "sofie_l"), (cast.CLEO, "benitez_leo")):
            await world.opened(f"/csat @{customer}", user)
            await world.workspace.submit(user)
        waiting = world.ledger("select count(*) from surveys where state = 'accepted' and lease_owner <> ''")
        await world.sent(3)

    assert waiting == [(2,)]
    assert "can't be read" not in caplog.text


def _away(*_: object) -> None:
    raise LedgerError("the ledger is away")

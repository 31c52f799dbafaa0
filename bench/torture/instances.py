"""Two instances on one PostgreSQL: one gone for good, one that comes back, and the server restarted."""

import asyncio
import random
import signal
from collections.abc import Sequence
from typing import Final

from bench.torture.checker import Verdict, judge
from bench.torture.failpoints import Strike
from bench.torture.harness import LEASES_OVER, Stage, resume
from bench.torture.users import Crowd, working
from sandbox.x import Fault

IN_FLIGHT: Final = 0.15
"""Seconds that X takes: so there is always something on its way."""
CLAIM_OVER: Final = 12.5
TAKEN_OVER: Final = 15.0
ATTEMPT_OVER: Final = 28.0
"""Seconds more, after `CLAIM_OVER`, until an attempt counts as given up."""
DECLARED: Final = 0.7
"""Seconds for the others to notice."""
WHEN: Final = 0.8
STOPS: Final = 6.0
MODES: Final = ("fast", "immediate")
STOPPED_AT: Final = (
    "accept:before",
    "accept:after",
    "begin:before",
    "begin:after",
    "post:before",
    "post:left",
    "post:answered",
    "post:after",
    "sent:before",
    "sent:after",
    "tell:before",
    "tell:left",
    "told:before",
)


async def one_killed(stage: Stage, rng: random.Random, kills: int) -> Verdict:
    """Kill one of two for good, over and over: the other has sent what it had not begun within 15 s."""
    stage.x.delay_seconds = IN_FLIGHT
    stage.x.fail(Fault.SLOW)
    crowd, late = Crowd(stage, rng), list[str]()
    async with working(crowd):
        pair = [await stage.start(), await stage.start()]
        for _ in range(kills):
            await asyncio.sleep(rng.random() * WHEN)
            await pair.pop(rng.randrange(2)).kill()
            late += await _left_over(stage)
            stage.clock.leap(ATTEMPT_OVER)
            pair.append(await stage.start())
        stage.x.recover()
    await stage.settle()
    verdict = judge(stage, crowd)
    verdict.kills, verdict.wrong_ones = kills, [*verdict.wrong_ones, *late]
    return verdict


async def _left_over(stage: Stage) -> list[str]:
    """Wait as long as the other instance may take; returns what it has not taken over."""
    waiting = {row[0] for row in stage.book.ask("select id from surveys where state = 'accepted'")}
    stage.clock.leap(CLAIM_OVER)
    await asyncio.sleep(TAKEN_OVER - CLAIM_OVER)
    still = {row[0] for row in stage.book.ask("select id from surveys where state = 'accepted'")}
    return [f"survey {one} was not taken over within {TAKEN_OVER:g} s" for one in sorted(waiting & still)]


async def one_stopped(
    stage: Stage, rng: random.Random, rounds: int, points: Sequence[str] = STOPPED_AT
) -> Verdict:
    """Stop one of two at each point, and let it go on when the other has declared its attempts uncertain."""
    crowd, stops = Crowd(stage, rng), 0
    async with working(crowd):
        await stage.start()
        for point in [*points] * rounds:
            sleeper = await stage.start(Strike(point, rng.randint(1, 2), signal.SIGSTOP))
            stops += await sleeper.stopped(STOPS)
            stage.clock.leap(CLAIM_OVER)
            await asyncio.sleep(DECLARED)
            stage.clock.leap(ATTEMPT_OVER)
            await asyncio.sleep(DECLARED)
            await resume(sleeper)
            await asyncio.sleep(DECLARED)
            await sleeper.kill()
    stage.clock.leap(LEASES_OVER)
    await stage.settle()
    verdict = judge(stage, crowd)
    verdict.kills = stops
    return verdict


async def restarted(stage: Stage, rng: random.Random, times: int) -> Verdict:
    """Restart the PostgreSQL server under two instances, politely and not."""
    crowd = Crowd(stage, rng)
    async with working(crowd):
        await stage.start()
        await stage.start()
        for number in range(times):
            await asyncio.sleep(rng.random() * WHEN)
            await asyncio.to_thread(stage.databases.restart, MODES[number % 2])
        await asyncio.sleep(WHEN)
    await stage.settle()
    verdict = judge(stage, crowd)
    verdict.kills = times
    return verdict

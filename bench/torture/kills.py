"""Killed (SIGKILL) at named points and at random moments, and started again, over and over."""

import asyncio
import random
from typing import Final

from bench.torture.checker import Verdict, judge
from bench.torture.failpoints import LEAVERS, MOODS, Strike
from bench.torture.harness import LEASES_OVER, Stage
from bench.torture.users import Crowd, working

LIFE: Final = 6.0
"""Seconds after which a victim that did not come to its point is killed where it is; that counts no kill."""
MOST_PASSING: Final = 3
LONGEST_MOMENT: Final = 0.6
STARTS_PER_KILL: Final = 3


async def at_point(stage: Stage, rng: random.Random, kills: int, point: str) -> Verdict:
    """Kill a victim at its n-th passing of a point, `kills` times, while people go on asking."""
    step = point.partition(":")[0]
    leaver = LEAVERS.get(step)
    if fault := MOODS.get(step):
        stage.x.fail(fault)
    crowd, killed = Crowd(stage, rng), 0
    async with working(crowd):
        for _ in range(kills * STARTS_PER_KILL):
            if leaver:
                await _killed(stage, Strike(leaver, rng.randint(1, MOST_PASSING)))
            most = 1 if leaver else MOST_PASSING
            killed += await _killed(stage, Strike(point, rng.randint(1, most)))
            if killed >= kills:
                break
        stage.x.recover()
        await stage.start()
    verdict = await _verdict(stage, crowd, killed)
    if killed < kills:
        verdict.wrong_ones.append(f"only {killed} of {kills} victims came to {point}")
    return verdict


async def at_random(stage: Stage, rng: random.Random, kills: int) -> Verdict:
    """Kill a victim at any moment, its start included."""
    crowd = Crowd(stage, rng)
    async with working(crowd):
        for _ in range(kills):
            starting = asyncio.create_task(stage.start())
            await asyncio.wait({starting}, timeout=rng.random() * LONGEST_MOMENT)
            victim = await starting
            await asyncio.sleep(rng.random() * LONGEST_MOMENT)
            await victim.kill()
            stage.clock.leap(LEASES_OVER)
        await stage.start()
    return await _verdict(stage, crowd, kills)


async def _killed(stage: Stage, strike: Strike) -> bool:
    """Start a victim, and let its leases end after its death; whether the strike was what killed it."""
    victim = await stage.start(strike)
    struck = await victim.died(LIFE)
    await victim.kill()
    stage.clock.leap(LEASES_OVER)
    return struck


async def _verdict(stage: Stage, crowd: Crowd, kills: int) -> Verdict:
    await stage.settle()
    verdict = judge(stage, crowd)
    verdict.kills = kills
    return verdict

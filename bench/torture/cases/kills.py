"""Kill the app (SIGKILL) at failpoints and at random times, and start it again, over and over."""

import asyncio
import random
from typing import Final

from bench.torture.agents import Users
from bench.torture.checker import CaseResult, check_surveys
from bench.torture.failpoints import REQUIRED_FAULTS, REQUIRED_KILLS, Failpoint
from bench.torture.harness import LEASE_EXPIRY_SECONDS, Harness

MAX_LIFETIME_SECONDS: Final = 30.0
"""A process that has not hit its failpoint by then is killed, which doesn't count."""
MAX_HITS: Final = 3
MAX_DELAY_SECONDS: Final = 0.6
STARTS_PER_KILL: Final = 3


async def kill_at_failpoint(harness: Harness, rng: random.Random, kills: int, failpoint: str) -> CaseResult:
    """Kill `kills` processes, each at a random hit of the failpoint."""
    step = failpoint.partition(":")[0]
    if fault := REQUIRED_FAULTS.get(step):
        harness.x.fail(fault, harness.endpoint)
    users, killed, required_kill = Users(harness, rng), 0, REQUIRED_KILLS.get(step)
    async with users.in_background():
        for _ in range(kills * STARTS_PER_KILL):
            if required_kill:
                await _run_until_killed(harness, Failpoint(required_kill, rng.randint(1, MAX_HITS)))
            hit = rng.randint(1, 1 if required_kill else MAX_HITS)
            killed += await _run_until_killed(harness, Failpoint(failpoint, hit))
            if killed >= kills:
                break
        harness.x.recover()
        await harness.start_app()
        await users.wait_for_acknowledgement()
    await harness.settle()
    result = check_surveys(harness, users, killed)
    if killed < kills:
        result.failures.append(f"only {killed} of {kills} processes hit {failpoint}")
    return result


async def kill_at_random(harness: Harness, rng: random.Random, kills: int) -> CaseResult:
    """Kill the app at random times, also while it starts."""
    users = Users(harness, rng)
    async with users.in_background():
        for _ in range(kills):
            starting = asyncio.create_task(harness.start_app())
            await asyncio.wait({starting}, timeout=rng.random() * MAX_DELAY_SECONDS)
            app = await starting
            await asyncio.sleep(rng.random() * MAX_DELAY_SECONDS)
            await app.kill()
            harness.clock.advance(LEASE_EXPIRY_SECONDS)
        await harness.start_app()
    await harness.settle()
    return check_surveys(harness, users, kills)


async def _run_until_killed(harness: Harness, failpoint: Failpoint) -> bool:
    """Run the app until it is dead and its leases have expired; return True if the failpoint killed it."""
    app = await harness.start_app(failpoint)
    has_hit = await app.wait_for_exit(MAX_LIFETIME_SECONDS)
    await app.kill()
    harness.clock.advance(LEASE_EXPIRY_SECONDS)
    return has_hit

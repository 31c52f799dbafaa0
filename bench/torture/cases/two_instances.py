"""Two instances on one database: both at work, one killed or frozen, or the server restarts."""

import asyncio
import contextlib
import random
import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bench.torture.agents import Users
from bench.torture.checker import CaseResult, check_surveys
from bench.torture.failpoints import Failpoint
from bench.torture.harness import LEASE_EXPIRY_SECONDS, Harness
from bench.torture.patched_app import TIMEOUTS
from sandbox.x import Endpoint, Fault

DELAY_SECONDS: Final = 0.15
"""Response time, so that there is always a request in flight."""
SLOW_X_SECONDS: Final = 4.0
"""Response time of X with which a survey often waits for longer than its claim lasts."""
CLAIM_EXPIRY_SECONDS: Final = 12.5
ATTEMPT_EXPIRY_SECONDS: Final = 28.0
"""Time from the expiry of a claim to that of an attempt."""
TAKEOVER_TIMEOUT_SECONDS: Final = 30.0
"""Time within which another instance must have sent what was only claimed, also on a busy machine."""
POLL_SECONDS: Final = 0.7
"""Time within which the other instance notices that something has expired, on a quiet machine."""
MAX_DELAY_SECONDS: Final = 0.8
FREEZE_TIMEOUT_SECONDS: Final = 30.0
TEN_MINUTES: Final = 600.0
SHUTDOWN_MODES: Final = ("fast", "immediate")
"""Modes of `pg_ctl restart`."""
FREEZE_FAILPOINTS: Final = (
    "accept:before",
    "accept:after",
    "begin_attempt:before",
    "begin_attempt:after",
    "x_create:before",
    "x_create:sent",
    "x_create:responded",
    "x_create:after",
    "mark_sent:before",
    "mark_sent:after",
    "slack_post:before",
    "slack_post:sent",
    "mark_notified:before",
)


async def kill_one(harness: Harness, rng: random.Random, kills: int) -> CaseResult:
    """Kill one of two instances and start a new one; the other must take over what was only claimed."""
    harness.slow_down(DELAY_SECONDS)
    users, failures = Users(harness, rng), list[str]()
    async with users.in_background():
        apps = [await harness.start_app(), await harness.start_app()]
        for _ in range(kills):
            await asyncio.sleep(rng.random() * MAX_DELAY_SECONDS)
            await apps.pop(rng.randrange(2)).kill()
            failures += await _wait_for_takeover(harness)
            harness.clock.advance(ATTEMPT_EXPIRY_SECONDS)
            apps.append(await harness.start_app())
        harness.recover()
    await harness.settle()
    result = check_surveys(harness, users, kills)
    result.failures += failures
    return result


async def _wait_for_takeover(harness: Harness) -> list[str]:
    """Wait until all surveys accepted by now must have been sent; return a failure for each that wasn't."""
    accepted = _accepted_surveys(harness)
    harness.clock.advance(CLAIM_EXPIRY_SECONDS)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(TAKEOVER_TIMEOUT_SECONDS):
            while accepted & _accepted_surveys(harness):  # noqa: ASYNC110 - other processes change it
                await asyncio.sleep(POLL_SECONDS)
    remaining = sorted(accepted & _accepted_surveys(harness))
    return [f"survey {survey_id} was not taken over" for survey_id in remaining]


def _accepted_surveys(harness: Harness) -> set[int]:
    return {row.id for row in harness.db.query("select id from surveys where state = 'accepted'")}


async def freeze_one(
    harness: Harness,
    rng: random.Random,
    rounds: int,
    names: Sequence[str] = FREEZE_FAILPOINTS,
    *,
    poll_seconds: float = POLL_SECONDS,
) -> CaseResult:
    """Freeze an instance at each failpoint; resume it once the other has marked its attempts uncertain."""
    users, freezes = Users(harness, rng), 0
    async with users.in_background():
        await harness.start_app()
        for name in [*names] * rounds:
            frozen = await harness.start_app(Failpoint(name, rng.randint(1, 2), signal.SIGSTOP))
            freezes += await frozen.wait_until_frozen(FREEZE_TIMEOUT_SECONDS)
            harness.clock.advance(CLAIM_EXPIRY_SECONDS)
            await asyncio.sleep(poll_seconds)
            harness.clock.advance(ATTEMPT_EXPIRY_SECONDS)
            await asyncio.sleep(poll_seconds)
            frozen.resume()
            await asyncio.sleep(poll_seconds)
            await frozen.kill()
    harness.clock.advance(LEASE_EXPIRY_SECONDS)
    await harness.settle()
    return check_surveys(harness, users, freezes)


async def overlap(
    harness: Harness,
    rng: random.Random,
    seconds: int,
    clock_skews: tuple[float, float] = (0.0, 0.0),
) -> CaseResult:
    """Let two instances share more surveys than they can send before their claims expire, as X is slow.

    Their machines' clocks are ahead by `clock_skews`, in seconds. Time passes as it does, without a jump.
    """
    harness.clock.reset()
    harness.x.delay_seconds = SLOW_X_SECONDS
    for endpoint in (harness.endpoint, Endpoint.LOOKUP):
        harness.x.fail(Fault.SLOW, endpoint)
    users = Users(harness, rng, handle_rate=1)
    timeouts = replace(TIMEOUTS, x_call=2 * SLOW_X_SECONDS)
    apps = [
        await harness.start_app(clock_skew=skew, timeouts=timeouts, concurrency=1) for skew in clock_skews
    ]
    async with users.in_background():
        await asyncio.sleep(seconds)
    harness.x.recover()
    await asyncio.sleep(CLAIM_EXPIRY_SECONDS)
    for app in apps:
        await app.kill()
    await harness.start_app()
    await harness.settle()
    return check_surveys(harness, users)


async def restart_server(harness: Harness, rng: random.Random, restarts: int) -> CaseResult:
    """Restart PostgreSQL under two instances, alternating between a clean and an immediate shutdown."""
    users = Users(harness, rng)
    async with users.in_background():
        await harness.start_app()
        await harness.start_app()
        for number in range(restarts):
            await asyncio.sleep(rng.random() * MAX_DELAY_SECONDS)
            await asyncio.to_thread(harness.databases.restart, SHUTDOWN_MODES[number % 2])
        await asyncio.sleep(MAX_DELAY_SECONDS)
    await harness.settle()
    return check_surveys(harness, users, restarts)

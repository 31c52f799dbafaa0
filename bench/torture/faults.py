"""X and Slack at their worst, at random, while people go on asking."""

import asyncio
import contextlib
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from bench.torture.app_process import SLACK_SECONDS, X_SECONDS
from bench.torture.checker import Verdict, judge
from bench.torture.harness import LOOK, Stage
from bench.torture.users import AGENTS, Crowd, working
from sandbox.slack import fixtures
from sandbox.slack.errors import SlackError
from sandbox.x import Fault
from sandbox.x.rate_limits import Endpoint

UNKNOWN: Final = re.compile(r"It is not known whether the survey to (\S+) arrived")
STRUCK: Final = 0.5
"""Seconds within which somebody runs into a trouble, as long as people ask."""
LANDED: Final = X_SECONDS * 3
"""Seconds within which every call has ended, and its outcome is written."""
PAUSED_FOR: Final = 301.0
RESET: Final = 900.0
LOOK_UP_TOO: Final = 0.3
SPELL: Final = 0.4
ALL: Final = slice(None)


async def at_x(stage: Stage, rng: random.Random, rounds: int, part: slice = ALL) -> Verdict:
    """Let the troubles of X happen, in any order; requesters press the buttons of what is uncertain."""
    crowd, again = Crowd(stage, rng), Counter[str]()
    troubles = [*Fault][part] * rounds
    rng.shuffle(troubles)
    await stage.start()
    async with working(crowd):
        for trouble in troubles:
            stage.x.delay_seconds = rng.choice((X_SECONDS / 2, X_SECONDS * 2))
            stage.x.fail(trouble, times=1)
            if rng.random() < LOOK_UP_TOO:
                stage.x.fail(rng.choice(troubles), Endpoint.LOOKUP, times=1)
            with contextlib.suppress(TimeoutError):
                await stage.workspace.wait_until(lambda: not stage.x.fault(), STRUCK)
            await _press(stage, rng, again)
            if stage.book.ask("select id from accounts where paused_at is not null"):
                await _landed(stage)
                stage.clock.leap(PAUSED_FOR)
        stage.x.recover()
        stage.clock.leap(RESET)
    await stage.settle()
    return judge(stage, crowd, again)


async def _landed(stage: Stage) -> None:
    """Wait until nothing is on its way to X: what took five minutes to arrive is not looked for there."""
    for _ in range(int(LANDED / LOOK)):
        if not stage.book.ask("select id from surveys where state = 'sending'"):
            return
        await asyncio.sleep(LOOK)


async def _press(stage: Stage, rng: random.Random, again: Counter[str]) -> None:
    """Press a button of every message that asks what became of a survey; people say what is true."""
    sent = {it.to_user_id for it in stage.x.feedbacks}
    names = {f"@{customer.handle}": customer.id for customer in stage.x.customers}
    asking = [
        (message, found[1])
        for channel in stage.workspace.channels.values()
        for message in channel.messages
        if message.visible_to in AGENTS and (found := UNKNOWN.search(message.text))
    ]
    for message, customer in asking:
        arrived = names.get(customer, customer) in sent
        button = rng.choice(("send_survey_again", "leave_survey", *(("survey_arrived",) if arrived else ())))
        again[customer] += button == "send_survey_again"
        with contextlib.suppress(SlackError):  # the message was replaced in the meantime
            await stage.workspace.click(message.visible_to, button, channel=message.channel, ts=message.ts)


async def at_slack(stage: Stage, rng: random.Random, rounds: int, part: slice = ALL) -> Verdict:
    """Let Slack repeat, limit, fail before and after the effect, answer late, and cut its sockets."""
    crowd = Crowd(stage, rng)
    await stage.start()
    await stage.workspace.wait_until(lambda: stage.workspace.connection_count, timeout_seconds=10)
    spells = [*SPELLS[part]] * rounds
    rng.shuffle(spells)
    async with working(crowd):
        for spell in spells:
            stage.x.fail(rng.choice((Fault.BAD_GATEWAY_AFTER, Fault.DMS_CLOSED)), times=1)
            await spell(stage, rng)
            await asyncio.sleep(SPELL)
            stage.workspace.faults.clear()
        stage.x.recover()
    await stage.settle()
    return judge(stage, crowd)


async def _repeats(stage: Stage, rng: random.Random) -> None:
    stage.workspace.faults.duplicate_deliveries = rng.randint(1, 2)


async def _retries(stage: Stage, rng: random.Random) -> None:
    forms = [made for made in stage.workspace.deliveries if made.payload.get("type") == "view_submission"]
    for made in rng.sample(forms, min(3, len(forms))):
        await stage.workspace.redeliver(made)


async def _reconnects(stage: Stage, rng: random.Random) -> None:
    if rng.random() < 1 / 2:
        stage.workspace.faults.fail("socket", rng.choice(("503", "429")), times=2)
    await stage.workspace.disconnect_sockets(rng.choice(("refresh_requested", "warning")))


async def _freezes(stage: Stage, rng: random.Random) -> None:
    stage.workspace.freeze_sockets()
    await asyncio.sleep(rng.random() * 2)
    stage.workspace.thaw_sockets()


async def _limits(stage: Stage, rng: random.Random) -> None:
    times, seconds = rng.randint(1, 5), rng.randint(1, 30)
    stage.workspace.faults.fail("chat.postMessage", "ratelimited", times, seconds)


async def _fails(stage: Stage, rng: random.Random) -> None:
    error = rng.choice(("500", "502", "503", "internal_error", "fatal_error", "service_unavailable"))
    for method in ("chat.postMessage", "chat.postEphemeral", "response_url"):
        stage.workspace.faults.fail(method, error, rng.randint(1, 5))


async def _fails_after(stage: Stage, rng: random.Random) -> None:
    error = rng.choice(("500", "503", "internal_error"))
    stage.workspace.faults.fail("chat.postMessage", error, rng.randint(1, 3), after=True)


async def _slow(stage: Stage, rng: random.Random) -> None:
    stage.workspace.faults.delay("chat.postMessage", SLACK_SECONDS * 1.5, after=rng.random() < 1 / 2)
    await asyncio.sleep(SLACK_SECONDS)


async def _forms_fail(stage: Stage, rng: random.Random) -> None:
    for method in ("views.open", "users.info"):
        stage.workspace.faults.fail(method, rng.choice(("500", "ratelimited", "internal_error")), times=2)


async def _archived(stage: Stage, rng: random.Random) -> None:
    channel = stage.workspace.channels[fixtures.SUPPORT]
    if rng.random() < 1 / 2:
        stage.workspace.archive_channel(channel.id)
    else:
        stage.workspace.remove_bot(channel.id)
    await asyncio.sleep(SPELL)
    channel.is_archived = False
    stage.workspace.invite_bot(channel.id)


SPELLS: Final[tuple[Callable[[Stage, random.Random], Awaitable[None]], ...]] = (
    _repeats,
    _retries,
    _reconnects,
    _freezes,
    _limits,
    _fails,
    _fails_after,
    _slow,
    _forms_fail,
    _archived,
)

"""Inject faults of the APIs of X and Slack at random while agents send surveys."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from bench.torture.agents import AGENTS, Users
from bench.torture.checker import CaseResult, check_surveys
from bench.torture.harness import POLL_SECONDS, Harness
from bench.torture.patched_app import TIMEOUTS
from blocks.uncertain_survey import ARRIVED_ACTION, LEAVE_ACTION, SEND_AGAIN_ACTION
from csat.surveys.posted_survey_keys import parse_key
from sandbox.slack import Message, fixtures
from sandbox.slack.errors import SlackError
from sandbox.slack.interactive_elements import interactive_elements
from sandbox.x import Endpoint, Fault

FAULT_TIMEOUT_SECONDS: Final = 0.5
"""Time within which a request runs into a fault while agents work."""
IN_FLIGHT_SECONDS: Final = TIMEOUTS.x_call * 3
"""Time within which every attempt has ended, and its outcome is saved."""
PAUSE_EXPIRY_SECONDS: Final = 301.0
RATE_LIMIT_SECONDS: Final = 900.0
LOOKUP_FAULT_RATE: Final = 0.3
LOOKUP_FAULTS: Final = [fault for fault in Fault if Endpoint.LOOKUP in fault.value.endpoints]
FAULT_SECONDS: Final = 0.4
ALL: Final = slice(None)


async def inject_x_faults(harness: Harness, rng: random.Random, rounds: int, part: slice = ALL) -> CaseResult:
    """Inject `part` of X's faults in random order; requesters press the buttons of uncertain surveys."""
    users, resends = Users(harness, rng), Counter[str]()
    faults = [fault for fault in Fault if harness.endpoint in fault.value.endpoints][part] * rounds
    rng.shuffle(faults)
    endpoint = harness.endpoint
    await harness.start_app()
    async with users.in_background():
        for fault in faults:
            harness.x.delay_seconds = rng.choice((TIMEOUTS.x_call / 2, TIMEOUTS.x_call * 2))
            harness.x.fail(fault, endpoint, times=1)
            if rng.random() < LOOKUP_FAULT_RATE:
                harness.x.fail(rng.choice(LOOKUP_FAULTS), Endpoint.LOOKUP, times=1)
            if rng.random() < LOOKUP_FAULT_RATE:
                harness.x.fail(rng.choice(LOOKUP_FAULTS), Endpoint.LIST_MESSAGES, times=1)
            with contextlib.suppress(TimeoutError):
                await harness.workspace.wait_until(
                    lambda: not harness.x.fault(endpoint), FAULT_TIMEOUT_SECONDS
                )
            await _settle_by_hand(harness, rng, resends)
            if harness.db.query("select id from accounts where paused_at is not null"):
                await _wait_for_attempts(harness)
                harness.clock.advance(PAUSE_EXPIRY_SECONDS)
        harness.x.recover()
        harness.clock.advance(RATE_LIMIT_SECONDS)
    await harness.settle()
    return check_surveys(harness, users, resends=resends)


async def _wait_for_attempts(harness: Harness) -> None:
    """Wait until no attempt is in flight: one that took five minutes would be looked for too early."""
    for _ in range(int(IN_FLIGHT_SECONDS / POLL_SECONDS)):
        if not harness.db.query("select id from surveys where state = 'sending'"):
            return
        await asyncio.sleep(POLL_SECONDS)


async def _settle_by_hand(harness: Harness, rng: random.Random, resends: Counter[str]) -> None:
    """Press a random button of each message about an uncertain survey; *It arrived* only if it did."""
    recipients = {row.id: harness.as_typed(row.recipient) for row in harness.db.list_surveys()}
    arrived = set(harness.delivered_to())
    for agent, message, survey_id in list(_uncertain_messages(harness)):
        recipient = recipients[survey_id]
        buttons = [SEND_AGAIN_ACTION, LEAVE_ACTION]
        if recipient in arrived:
            buttons.append(ARRIVED_ACTION)
        button = rng.choice(buttons)
        resends[recipient] += button == SEND_AGAIN_ACTION
        with contextlib.suppress(SlackError):  # the message has been replaced
            await harness.workspace.click(agent, button, channel=message.channel, ts=message.ts)


def _uncertain_messages(harness: Harness) -> Iterator[tuple[str, Message, int]]:
    """Yield the agents, their messages with a button to send a survey again, and the survey's id."""
    for channel in harness.workspace.channels.values():
        readers = channel.members.intersection(AGENTS) if channel.is_im else frozenset[str]()
        for message in channel.messages:
            agents = readers or {message.visible_to}.intersection(AGENTS)
            elements = [element for block in message.blocks for element in interactive_elements(block)]
            for element in elements:
                if element["action_id"] == SEND_AGAIN_ACTION:
                    survey_id, _ = parse_key(element["value"])
                    yield from ((agent, message, survey_id) for agent in agents)


async def inject_slack_faults(
    harness: Harness, rng: random.Random, rounds: int, part: slice = ALL
) -> CaseResult:
    """Inject `part` of `SLACK_FAULTS` in random order, while some surveys are refused or uncertain."""
    users = Users(harness, rng)
    await harness.start_app()
    await harness.workspace.wait_until(lambda: harness.workspace.connection_count, timeout_seconds=10)
    faults = [*SLACK_FAULTS[part]] * rounds
    rng.shuffle(faults)
    async with users.in_background():
        for inject in faults:
            fault = rng.choice((Fault.BAD_GATEWAY_AFTER, Fault.DMS_CLOSED))
            harness.x.fail(fault, harness.endpoint, times=1)
            await inject(harness, rng)
            await asyncio.sleep(FAULT_SECONDS)
            harness.workspace.faults.clear()
        harness.x.recover()
    await harness.settle()
    return check_surveys(harness, users)


async def _duplicate_deliveries(harness: Harness, rng: random.Random) -> None:
    harness.workspace.faults.duplicate_deliveries = rng.randint(1, 2)


async def _redeliver_submissions(harness: Harness, rng: random.Random) -> None:
    submissions = [
        delivery
        for delivery in harness.workspace.deliveries
        if delivery.payload.get("type") == "view_submission"
    ]
    for delivery in rng.sample(submissions, min(3, len(submissions))):
        await harness.workspace.redeliver(delivery)


async def _disconnect_sockets(harness: Harness, rng: random.Random) -> None:
    if rng.random() < 1 / 2:
        harness.workspace.faults.fail("socket", rng.choice(("503", "429")), times=2)
    await harness.workspace.disconnect_sockets(rng.choice(("refresh_requested", "warning")))


async def _freeze_sockets(harness: Harness, rng: random.Random) -> None:
    harness.workspace.freeze_sockets()
    await asyncio.sleep(rng.random() * 2)
    harness.workspace.thaw_sockets()


async def _rate_limit_posts(harness: Harness, rng: random.Random) -> None:
    times, retry_after = rng.randint(1, 5), rng.randint(1, 30)
    harness.workspace.faults.fail("chat.postMessage", "ratelimited", times, retry_after)


async def _fail_posts(harness: Harness, rng: random.Random) -> None:
    error = rng.choice(("500", "502", "503", "internal_error", "fatal_error", "service_unavailable"))
    for method in ("chat.postMessage", "chat.postEphemeral", "response_url"):
        harness.workspace.faults.fail(method, error, rng.randint(1, 5))


async def _fail_after_posting(harness: Harness, rng: random.Random) -> None:
    error = rng.choice(("500", "503", "internal_error"))
    harness.workspace.faults.fail("chat.postMessage", error, rng.randint(1, 3), after=True)


async def _delay_posts(harness: Harness, rng: random.Random) -> None:
    seconds, after = TIMEOUTS.slack_call * 1.5, rng.random() < 1 / 2
    harness.workspace.faults.delay("chat.postMessage", seconds, after=after)
    await asyncio.sleep(TIMEOUTS.slack_call)


async def _fail_forms(harness: Harness, rng: random.Random) -> None:
    for method in ("views.open", "users.info"):
        error = rng.choice(("500", "ratelimited", "internal_error"))
        harness.workspace.faults.fail(method, error, times=2)


async def _close_channel(harness: Harness, rng: random.Random) -> None:
    channel = harness.workspace.channels[fixtures.SUPPORT]
    if rng.random() < 1 / 2:
        harness.workspace.archive_channel(channel.id)
    else:
        harness.workspace.remove_bot(channel.id)
    await asyncio.sleep(FAULT_SECONDS)
    channel.is_archived = False
    harness.workspace.invite_bot(channel.id)


SLACK_FAULTS: Final[tuple[Callable[[Harness, random.Random], Awaitable[None]], ...]] = (
    _duplicate_deliveries,
    _redeliver_submissions,
    _disconnect_sockets,
    _freeze_sockets,
    _rate_limit_posts,
    _fail_posts,
    _fail_after_posting,
    _delay_posts,
    _fail_forms,
    _close_channel,
)

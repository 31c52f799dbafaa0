"""Push responses to the app: all at once, in any order, repeatedly, late, contradictory or invalid."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.torture.agents import Users
from bench.torture.checker import CaseResult, check_surveys
from bench.torture.harness import POLL_SECONDS, Harness
from bench.torture.webhook_events import COMMENT_MARKER, WebhookEvent, build_events
from bench.torture.webhook_pusher import KILLS, WebhookPusher
from cli.customer_messages import ErasureResult
from cli.forget import open_search_and_eraser
from csat.db.poll_budget_and_sweeps import EVENT_DELAY, SWEEP_INTERVAL
from csat.surveys.questions import Metric
from csat.surveys.recipients import XAccount
from csat.surveys.responses import LOW_RATINGS
from sandbox.x import Feedback

SURVEYS: Final = 60
ERASED: Final = 3
"""How many recipients are erased before their responses arrive again."""
LATE: Final = 4
"""How many recipients respond after two weeks."""
RATING_RATE: Final = 0.85
COMMENT_RATE: Final = 0.6
MAX_GAP_SECONDS: Final = 40.0
"""Longest time between two responses, or the two parts of one."""
TWO_WEEKS: Final = 14 * 86_400.0
STEP_SECONDS: Final = 6 * 3_600.0
POLLER_SECONDS: Final = 0.3
"""Time in which the app polls X once."""
SWEEP_TIMEOUT_SECONDS: Final = 60.0
WAITED_SECONDS: Final = 3.0
"""How far the clock moves between two looks, as the app's own budget of requests lasts for 15 minutes."""


async def push_responses(
    harness: Harness, rng: random.Random, events: int, surveys: int = SURVEYS, step: float = STEP_SECONDS
) -> CaseResult:
    """Push events while the app is killed, erase some recipients, and let three weeks pass in steps."""
    harness.x.webhook_paused = True
    users = Users(harness, rng, surveys)
    app = await harness.start_app()
    await users.work()
    await harness.wait_until_idle()
    late, early = harness.x.feedbacks[:LATE], harness.x.feedbacks[LATE:]
    for feedback in early:
        _respond(harness, rng, feedback)
    pusher = WebhookPusher(harness)
    app = await pusher.push_with_kills(app, build_events(harness.x, early, rng, events), rng)
    erased = await _erase(harness, early[:ERASED])
    repeats = [body for body in harness.x.pending_events if body["feedback"]["id"] in erased]
    await pusher.push(app, [WebhookEvent(body, is_valid=True) for body in repeats])
    await _advance(harness, TWO_WEEKS, step)
    for feedback in late:
        _respond(harness, rng, feedback)
    await _advance(harness, TWO_WEEKS / 2, step)
    await harness.settle()
    result = check_surveys(harness, users, KILLS)
    result.unconfirmed -= len(erased)  # their confirmations no longer name a recipient
    _check_responses(harness, result, erased)
    result.failures += pusher.failures()
    return result


def _respond(harness: Harness, rng: random.Random, feedback: Feedback) -> None:
    """Answer a survey: with a rating, a comment, both in any order, or not at all."""
    harness.clock.advance(rng.random() * MAX_GAP_SECONDS)
    parts: list[dict[str, Any]] = []
    rating, comment = rng.randint(1, 5), f"{COMMENT_MARKER} {feedback.id}"
    if rng.random() < RATING_RATE:
        parts.append({"score": rating})
    if rng.random() < COMMENT_RATE:
        parts.append({"text": comment})
    rng.shuffle(parts)
    for part in parts:
        harness.clock.advance(rng.random() * MAX_GAP_SECONDS)
        harness.x.respond(feedback.id, **part)


async def _erase(harness: Harness, feedbacks: Sequence[Feedback]) -> dict[str, int | None]:
    """Erase recipients with `app.py forget`; return the ratings that are kept, by feedback id."""
    await harness.wait_until_idle()
    async with open_search_and_eraser(harness.settings) as (search, eraser):
        for feedback in feedbacks:
            found = await search.find(XAccount(id=feedback.to_user_id))
            await eraser.erase(found.survey_ids, ErasureResult())
    ids = {feedback.id for feedback in feedbacks}
    rows = harness.db.query("select feedback_id, rating from surveys where recipient_id is null")
    return {row.feedback_id: row.rating for row in rows if row.feedback_id in ids}


async def _advance(harness: Harness, seconds: float, step: float) -> None:
    """Advance the clock in steps, letting the app poll X in between, until it has read all events."""
    for _ in range(int(seconds / step)):
        harness.clock.advance(step)
        await asyncio.sleep(POLLER_SECONDS)
    async with asyncio.timeout(SWEEP_TIMEOUT_SECONDS):
        listed_after = EVENT_DELAY + SWEEP_INTERVAL
        while harness.db.swept_until() < harness.clock() - listed_after:
            await asyncio.sleep(POLL_SECONDS)
            harness.clock.advance(WAITED_SECONDS)
    await harness.wait_until_idle()


def _check_responses(harness: Harness, result: CaseResult, erased: Mapping[str, int | None]) -> None:
    """Compare X's record with the database; nothing may have been added to the erased surveys."""
    statement = "select feedback_id, id, state, rating, comment from surveys where feedback_id is not null"
    rows = {row.feedback_id: row for row in harness.db.query(statement)}
    low_ratings = {row.survey_id for row in harness.db.query("select survey_id from follow_ups")}
    for feedback in harness.x.feedbacks:
        rating = feedback.score.value if feedback.score else None
        comment = feedback.text.value if feedback.text else None
        if feedback.id in erased:
            rating, comment = erased[feedback.id], None
        expected = (
            "expired" if rating is None else "answered",
            rating,
            comment,
            rating in LOW_RATINGS[Metric.CSAT],
        )
        row = rows.get(feedback.id)
        is_stored = row and (row.state, row.rating, row.comment, row.id in low_ratings) == expected
        has_response = bool(feedback.score or feedback.text)
        result.responses += has_response
        result.responses_stored += has_response and bool(is_stored)
        if not is_stored:
            result.failures.append(f"feedback {feedback.id}: {rating}, {comment}, in the database: {row}")
    if unmatched := harness.db.query("select feedback_id from unmatched_responses"):
        result.failures.append(f"{len(unmatched)} responses remain unmatched")
    if COMMENT_MARKER in harness.log:
        result.failures.append("a comment was logged")

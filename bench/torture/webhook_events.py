"""Genuine, contradictory, foreign and invalid events, and pushing them to the app's webhook."""

import asyncio
import copy
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import aiohttp

from bench.torture.app_processes import AppProcess
from bench.torture.harness import LEASE_EXPIRY_SECONDS, POLL_SECONDS, WEBHOOK, Harness
from sandbox.x import FakeX, Feedback
from sandbox.x.serializers import Json, JsonStyle, format_date, serialize_event

COMMENT_MARKER: Final = "marker"
"""Part of every comment, to find comments in logs."""
DELIVERY_RATE: Final = 0.7
"""Share of genuine events that reach the webhook."""
EVENT_TYPE: Final = "feedback.updated"
INVALID_SCORES: Final[tuple[tuple[str, Any], ...]] = (
    ("csat", 0),
    ("csat", 6),
    ("nps", 11),
    ("nps", -1),
    ("csat", f"{COMMENT_MARKER} five"),
    ("csat", None),
    ("csat", True),
    ("nps", 4.5),
    ("nps", [3]),
    ("nps", 10**30),
    ("ces", 3),
)
"""Type of feedback and score."""
CONTRADICTION_DELAY: Final = timedelta(minutes=7)

CONNECTIONS: Final = 64
MAX_TRIES: Final = 100
REJECTION_LOG: Final = "Feedback rejected"
"""How the app logs an invalid event."""
OK, BAD_REQUEST, UNAUTHORIZED, SERVER_ERROR, UNAVAILABLE = 200, 400, 401, 500, 503
KILLS: Final = 3


class WebhookEvent(NamedTuple):
    """The body of a POST to the webhook."""

    body: Json
    is_valid: bool


class WebhookPusher:
    """Post events over many connections at once; those answered with 503 are retried, lost ones are not."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._responses: Counter[tuple[int, bool]] = Counter()
        """Number of responses by status and validity of the event."""

    async def push_with_kills(
        self, app: AppProcess, events: Sequence[WebhookEvent], rng: random.Random
    ) -> AppProcess:
        """Push all events while the app is killed and started again; return its last process."""
        *batches, last_batch = [events[first :: KILLS + 1] for first in range(KILLS + 1)]
        for batch in batches:
            pushing = asyncio.create_task(self.push(app, batch))
            await asyncio.sleep(rng.random())
            await app.kill()
            await pushing
            self._harness.clock.advance(LEASE_EXPIRY_SECONDS)
            app = await self._harness.start_app()
        await self.push(app, last_batch)
        return app

    async def push(self, app: AppProcess, events: Sequence[WebhookEvent]) -> None:
        """Push events to a process."""
        queue, url = iter(events), app.url + WEBHOOK.url
        headers = {"authorization": aiohttp.encode_basic_auth(WEBHOOK.user, WEBHOOK.password)}
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS), headers=headers
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(CONNECTIONS):
                group.create_task(self._push_from(queue, session, url))

    def failures(self) -> list[str]:
        """Return what the app should have answered or logged differently."""
        unexpected = [
            (OK, False),
            (BAD_REQUEST, True),
            (UNAUTHORIZED, True),
            (SERVER_ERROR, True),
            (SERVER_ERROR, False),
        ]
        failures = [
            f"{count} {'valid' if is_valid else 'invalid'} events got {status}"
            for status, is_valid in unexpected
            if (count := self._responses[status, is_valid])
        ]
        rejected, logged = self._responses[BAD_REQUEST, False], self._harness.log.count(REJECTION_LOG)
        if logged < rejected:
            failures.append(f"{rejected} events were rejected, but only {logged} were logged")
        return failures

    async def _push_from(
        self, queue: Iterator[WebhookEvent], session: aiohttp.ClientSession, url: str
    ) -> None:
        for event in queue:
            for _ in range(MAX_TRIES):
                status = await _post(session, url, event.body)
                self._responses[status, event.is_valid] += 1
                if status != UNAVAILABLE:
                    break
                await asyncio.sleep(POLL_SECONDS)


async def _post(session: aiohttp.ClientSession, url: str, body: Json) -> int:
    """Return the status of the response; 0 if there is none."""
    try:
        async with session.post(url, json=body) as response:
            return response.status
    except aiohttp.ClientError:
        return 0


def build_events(
    x: FakeX, feedbacks: Sequence[Feedback], rng: random.Random, count: int
) -> list[WebhookEvent]:
    """Return events in random order: genuine, forged and, up to `count`, repeated ones."""
    events = [WebhookEvent(body, is_valid=True) for body in x.pending_events if rng.random() < DELIVERY_RATE]
    events += [event for feedback in feedbacks for event in _contradict(feedback, rng)]
    events += [_make_invalid(feedback, rng) for feedback in feedbacks]
    events += [_make_foreign(feedback, number, rng) for number, feedback in enumerate(feedbacks)]
    events += rng.choices(events, k=max(0, count - len(events)))
    rng.shuffle(events)
    return events


def _contradict(feedback: Feedback, rng: random.Random) -> Iterator[WebhookEvent]:
    """Yield another score and another comment than the customer gave."""
    if feedback.score:
        at = feedback.score.at + CONTRADICTION_DELAY
        yield WebhookEvent(_build_body(feedback, "score", rng.randint(1, 5), at), is_valid=True)
    if feedback.text:
        at = feedback.text.at + CONTRADICTION_DELAY
        yield WebhookEvent(_build_body(feedback, "text", f"{COMMENT_MARKER} changed", at), is_valid=True)


def _make_invalid(feedback: Feedback, rng: random.Random) -> WebhookEvent:
    """Return an event with a score out of range, or for another type of feedback."""
    feedback_type, score = rng.choice(INVALID_SCORES)
    body = _build_body(feedback, "score", score, feedback.updated_at)
    body["feedback"]["type"] = feedback_type
    return WebhookEvent(body, is_valid=False)


def _make_foreign(feedback: Feedback, number: int, rng: random.Random) -> WebhookEvent:
    """Return the response to a survey that another tool sent."""
    body = _build_body(feedback, "score", rng.randint(1, 5), feedback.updated_at)
    body["feedback"] |= {"id": f"66{number:010}", "to_user_id": f"55{number:010}"}
    return WebhookEvent(body, is_valid=True)


def _build_body(feedback: Feedback, part: str, value: Any, at: datetime) -> Json:  # noqa: ANN401 - invalid ones too
    body = copy.deepcopy(serialize_event(EVENT_TYPE, at, feedback, JsonStyle(variants_as_integers=True)))
    created_at = format_date(at.astimezone(UTC), JsonStyle())
    body["feedback"]["response"] = {part: {"created_at": created_at, "value": value}}
    return body

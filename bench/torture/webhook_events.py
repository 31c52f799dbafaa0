"""Genuine, contradictory, foreign and invalid events for the app's webhook."""

import copy
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

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


class WebhookEvent(NamedTuple):
    """The body of a POST to the webhook."""

    body: Json
    is_valid: bool


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

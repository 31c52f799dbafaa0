"""Events as X pushes them, and as it never would: repeated, contradictory, of strangers, and impossible."""

import copy
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sandbox.x import Feedback
from sandbox.x.serializers import Json, JsonStyle, format_date, serialize_event

MARK: Final = "marker"
"""What every comment contains, so that it would be noticed in a log."""

UPDATED: Final = "feedback.updated"
IMPOSSIBLE: Final[tuple[tuple[str, Any], ...]] = (
    ("csat", 0),
    ("csat", 6),
    ("nps", 11),
    ("nps", -1),
    ("csat", f"{MARK} five"),
    ("csat", None),
    ("csat", True),
    ("nps", 4.5),
    ("nps", [3]),
    ("nps", 10**30),
    ("ces", 3),
)
"""Ratings that nobody can have given, each with its metric."""
LATER: Final = timedelta(minutes=7)


class Forged(NamedTuple):
    """An event, and whether it can be."""

    body: Json
    possible: bool


def contradicting(it: Feedback, rng: random.Random) -> Iterator[Forged]:
    """Yield another rating and another comment than those that were given before."""
    if it.score:
        yield Forged(_answered(it, "score", rng.randint(1, 5), it.score.at + LATER), possible=True)
    if it.text:
        yield Forged(_answered(it, "text", f"{MARK} changed", it.text.at + LATER), possible=True)


def impossible(it: Feedback, rng: random.Random) -> Forged:
    """Return an event with a rating that can't be, or that is for another metric than the survey."""
    metric, value = rng.choice(IMPOSSIBLE)
    body = _answered(it, "score", value, it.updated_at)
    body["feedback"]["type"] = metric
    return Forged(body, possible=False)


def stranger(it: Feedback, number: int, rng: random.Random) -> Forged:
    """Return an answer to a survey that another tool sent."""
    body = _answered(it, "score", rng.randint(1, 5), it.updated_at)
    body["feedback"] |= {"id": f"66{number:010}", "to_user_id": f"55{number:010}"}
    return Forged(body, possible=True)


def _answered(it: Feedback, part: str, value: Any, at: datetime) -> Json:  # noqa: ANN401 - whatever X may say
    body = copy.deepcopy(serialize_event(UPDATED, at, it, JsonStyle(variants_as_integers=True)))
    body["feedback"]["response"] = {
        part: {"created_at": format_date(at.astimezone(UTC), JsonStyle()), "value": value}
    }
    return body

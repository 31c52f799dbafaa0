"""Three months of surveys and answers for the demo, so that its reports have something to show."""

import random
import tomllib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from csat.db.tables import follow_ups, surveys
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric
from csat.surveys.responses import is_low
from csat.surveys.states import State

COMMENTS = tomllib.loads(Path(__file__).with_name("comments.toml").read_text(encoding="utf-8"))
DAYS = 91
WEEKDAYS = (1.3, 1.1, 1.0, 1.0, 1.2, 0.6, 0.5)
"""How busy each day of the week is, Monday first."""
CSAT_SHARE, ANSWERED, COMMENTED, TAKEN_ON = 0.75, 0.41, 0.3, 0.9
"""How many of the surveys ask for CSAT, are answered, have words too; and of low ones are taken on."""
LEARNING = 0.4
UNANSWERED_FOR = timedelta(days=14)
CSAT = {1: 3, 2: 5, 3: 11, 4: 31, 5: 50}
NPS = {0: 3, 2: 2, 3: 3, 5: 6, 6: 7, 7: 14, 8: 20, 9: 21, 10: 24}
"""How often each rating is given, of a hundred."""


class Colleague(NamedTuple):
    """Somebody who asks: how much of the work is theirs, and how many customers they disappoint more."""

    user: str
    share: float
    trouble: float


class Scene(FrozenModel):
    """Where the past took place."""

    team: str
    account: str
    channels: tuple[str, ...]
    threads: tuple[str, ...]
    """Messages of the first channel that surveys may belong to."""
    colleagues: tuple[Colleague, ...]
    supervisor: str
    display_name: str


def fill(connection: Connection, scene: Scene, now: datetime) -> int:
    """Write the past down, and return how many surveys it has; the same each time."""
    rng = random.Random(7)  # noqa: S311 - a story, not a secret
    rows = [_survey(rng, scene, number, at, now) for number, at in enumerate(_moments(rng, now))]
    ids = connection.execute(insert(surveys).returning(surveys.c.id, sort_by_parameter_order=True), rows)
    kept = zip(ids.scalars(), rows, strict=True)
    lows = [_follow_up(rng, scene, survey_id, row, now) for survey_id, row in kept if _is_low(row)]
    connection.execute(insert(follow_ups), lows)
    return len(rows)


def _moments(rng: random.Random, now: datetime) -> Iterator[datetime]:
    """Yield when surveys were sent, a little more of them each week."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for ago in range(DAYS, 0, -1):
        day = midnight - timedelta(days=ago)
        busy = 14 * WEEKDAYS[day.weekday()] * (1.3 - 0.3 * ago / DAYS)
        hours = sorted(rng.triangular(7, 21, 11) for _ in range(round(rng.gauss(busy, 2))))
        yield from (day + timedelta(hours=hour) for hour in hours)


def _survey(rng: random.Random, scene: Scene, number: int, at: datetime, now: datetime) -> dict[str, Any]:
    who = rng.choices(scene.colleagues, [colleague.share for colleague in scene.colleagues])[0]
    metric = Metric.CSAT if rng.random() < CSAT_SHARE else Metric.NPS
    learned = 1 - (now - at) / timedelta(days=DAYS)  # the team gets better at it
    answer = _answer(rng, metric, who.trouble - LEARNING * learned, at, now)
    return {
        **_asked(rng, scene, who, number, at),
        **answer,
        "metric": metric,
        "state": _state(answer, at, now),
        "variant": rng.choice((0, 0, 0, 1, 2)),
    }


def _asked(rng: random.Random, scene: Scene, who: Colleague, number: int, at: datetime) -> dict[str, Any]:
    channel = rng.choices(scene.channels, range(len(scene.channels), 0, -1))[0]
    has_thread = channel == scene.channels[0] and scene.threads
    customer = f"{rng.randrange(10**17, 10**18)}"
    return {
        "view_id": f"past:{number}",
        "team": scene.team,
        "enterprise": "",
        "channel": channel,
        "thread": rng.choice(scene.threads) if has_thread else "",
        "in_thread": bool(has_thread),
        "requester": who.user,
        "response_url": "",
        "received_at": at,
        "account": scene.account,
        "display_name": scene.display_name,
        "recipient_handle": f"customer_{number}",
        "recipient_id": customer,
        "recipient_key": f"past:{customer}",
        "message": "",
        "privacy_url": "",
        "external_id": f"ticket_{40_000 + number}",
        "test": False,
        "accepted_at": at,
        "due_at": at,
        "attempts": 1,
        "feedback_id": f"9{number:011}",
        "sent_at": at + timedelta(seconds=2),
        "quota_until": at + timedelta(days=1),
    }


def _answer(
    rng: random.Random, metric: Metric, trouble: float, at: datetime, now: datetime
) -> dict[str, Any]:
    """Return a customer's answer; many never give one, and most give it within hours."""
    rated_at = at + timedelta(hours=rng.expovariate(1 / 9))
    nothing = dict.fromkeys(("rating", "rated_at", "comment", "commented_at"))
    if rng.random() > ANSWERED or rated_at > now:
        return nothing
    rating = _rating(rng, metric, trouble)
    said = rng.random() < COMMENTED
    commented_at = rated_at + timedelta(minutes=rng.uniform(0.3, 4))
    comment = {"comment": _words(rng, metric, rating), "commented_at": commented_at} if said else {}
    return {**nothing, "rating": rating, "rated_at": rated_at, **comment}


def _rating(rng: random.Random, metric: Metric, trouble: float) -> int:
    chances = CSAT if metric is Metric.CSAT else NPS
    weights = [chance * (1 + trouble * is_low(metric, rating)) for rating, chance in chances.items()]
    return rng.choices(list(chances), weights)[0]


def _words(rng: random.Random, metric: Metric, rating: int) -> str:
    happy = rating >= (5 if metric is Metric.CSAT else 9)
    mood = "unhappy" if is_low(metric, rating) else "happy" if happy else "middling"
    words: Sequence[str] = COMMENTS[mood]
    return rng.choice(words)


def _state(answer: dict[str, Any], at: datetime, now: datetime) -> State:
    if answer["rating"] is not None:
        return State.ANSWERED
    return State.EXPIRED if at < now - UNANSWERED_FOR else State.SENT


def _is_low(row: dict[str, Any]) -> bool:
    return row["rating"] is not None and is_low(row["metric"], row["rating"])


def _follow_up(
    rng: random.Random, scene: Scene, survey_id: int, row: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """Return who took care of a low rating: of the newest ones, nobody yet."""
    opened_at = row["rated_at"]
    taken_at, closed_at = (
        opened_at + timedelta(hours=rng.uniform(1, 20)),
        opened_at + timedelta(hours=rng.uniform(24, 70)),
    )
    taken, closed = taken_at < now and rng.random() < TAKEN_ON, closed_at < now
    return {
        "survey_id": survey_id,
        "team": scene.team,
        "opened_at": opened_at,
        "taken_by": scene.supervisor if taken else None,
        "taken_at": taken_at if taken else None,
        "closed_by": scene.supervisor if taken and closed else None,
        "closed_at": closed_at if taken and closed else None,
        "note": "Called the customer and put it right." if taken and closed else None,
    }

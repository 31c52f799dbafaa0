"""Three months of made-up surveys and answers, so that the demo has reports to show."""

import random
import tomllib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

from csat.db.tables import follow_ups, surveys
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.limits import DAY
from csat.surveys.networks import Network
from csat.surveys.poll_schedule import LAST_POLL_AGE
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient, SlackPerson, XAccount
from csat.surveys.responses import is_low
from csat.surveys.states import State
from csat.surveys.transports import FACTS, TransportName

COMMENTS = tomllib.loads(Path(__file__).with_name("comments.toml").read_text(encoding="utf-8"))
DAYS = 91
WEEKDAY_FACTORS = (1.3, 1.1, 1.0, 1.0, 1.2, 0.6, 0.5)
"""How busy each day of the week is, from Monday."""
SURVEYS_PER_DAY = 14
CSAT_SHARE = 0.75
ANSWERED_SHARE = 0.41
COMMENTED_SHARE = 0.3
"""Of the answered surveys."""
TAKEN_SHARE = 0.9
"""Of the low ratings."""
IMPROVEMENT = 0.4
"""How far the factor of low ratings falls over the three months."""
CSAT_WEIGHTS = {1: 3, 2: 5, 3: 11, 4: 31, 5: 50}
NPS_WEIGHTS = {0: 3, 2: 2, 3: 3, 5: 6, 6: 7, 7: 14, 8: 20, 9: 21, 10: 24}


class Colleague(NamedTuple):
    """An agent of the demo."""

    user: str
    share: float
    """How many of the surveys are theirs, relative to the others."""
    low_rating_factor: float
    """How much more often their customers give low ratings."""


class Team(FrozenModel):
    """The Slack team that sent the surveys."""

    id: str
    account: str
    channels: tuple[str, ...]
    threads: tuple[str, ...]
    """Messages of the first channel that surveys may belong to."""
    colleagues: tuple[Colleague, ...]
    supervisor: str
    display_name: str
    transports: tuple[TransportName, ...] = (TransportName.X_CARD,)
    customers: tuple[str, ...] = ()
    """The people in Slack who were asked, if they were asked there."""


def insert_past(connection: Connection, team: Team, now: datetime) -> int:
    """Insert the surveys and follow-ups, the same each time; return how many surveys."""
    rng = random.Random(7)  # noqa: S311 - sample data, not a secret
    rows = [_survey(rng, team, number, at, now) for number, at in enumerate(_send_times(rng, now))]
    ids = connection.execute(insert(surveys).returning(surveys.c.id, sort_by_parameter_order=True), rows)
    inserted = zip(ids.scalars(), rows, strict=True)
    low_ratings = [_follow_up(rng, team, survey_id, row, now) for survey_id, row in inserted if _is_low(row)]
    connection.execute(insert(follow_ups), low_ratings)
    return len(rows)


def _send_times(rng: random.Random, now: datetime) -> Iterator[datetime]:
    """Yield when the surveys were sent, a few more each week."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for days_ago in range(DAYS, 0, -1):
        day = midnight - timedelta(days=days_ago)
        mean = SURVEYS_PER_DAY * WEEKDAY_FACTORS[day.weekday()] * (1.3 - 0.3 * days_ago / DAYS)
        hours = sorted(rng.triangular(7, 21, 11) for _ in range(round(rng.gauss(mean, 2))))
        yield from (day + timedelta(hours=hour) for hour in hours)


def _survey(rng: random.Random, team: Team, number: int, at: datetime, now: datetime) -> dict[str, Any]:
    agent = rng.choices(team.colleagues, [colleague.share for colleague in team.colleagues])[0]
    metric = Metric.CSAT if rng.random() < CSAT_SHARE else Metric.NPS
    progress = 1 - (now - at) / timedelta(days=DAYS)
    factor = agent.low_rating_factor - IMPROVEMENT * progress
    answer = _answer(rng, metric, factor, at, now)
    return {
        **_question(rng, team, agent, number, at),
        **answer,
        "metric": metric,
        "state": _state(answer, at, now),
        "variant": rng.choice((0, 0, 0, 1, 2)),
    }


def _question(rng: random.Random, team: Team, agent: Colleague, number: int, at: datetime) -> dict[str, Any]:
    channel = rng.choices(team.channels, range(len(team.channels), 0, -1))[0]
    has_thread = channel == team.channels[0] and team.threads
    customer = XAccount(handle=f"customer_{number}", id=f"{rng.randrange(10**17, 10**18)}")
    return {
        "view_id": f"past:{number}",
        "team": team.id,
        "enterprise": "",
        "channel": channel,
        "thread": rng.choice(team.threads) if has_thread else "",
        "in_thread": bool(has_thread),
        "requester": agent.user,
        "response_url": "",
        "received_at": at,
        "display_name": team.display_name,
        **_recipient(team, number, customer),
        "message": "",
        "privacy_url": "",
        "external_id": f"ticket_{40_000 + number}",
        "test": False,
        "accepted_at": at,
        "due_at": at,
        "attempts": 1,
        "feedback_id": f"9{number:011}",
        "sent_at": at + timedelta(seconds=2),
        "quota_until": at + DAY,
    }


def _recipient(team: Team, number: int, on_x: XAccount) -> dict[str, Any]:
    """Return who was asked, how, and for which account."""
    transport, account = _transport(team, number), team.account
    recipient: Recipient = on_x
    if FACTS[transport].network is Network.SLACK:
        user = team.customers[number % len(team.customers)]
        account, recipient = team.id, SlackPerson(team=team.id, user=user)
    return {
        "account": account,
        "transport": transport,
        "recipient_handle": recipient.handle,
        "recipient_id": recipient.id,
        "recipient_key": f"past:{recipient.id}",
    }


def _transport(team: Team, number: int) -> TransportName:
    """Return how a survey was sent: if the team can, some as links, some in Slack."""
    if TransportName.SLACK in team.transports and number % 5 == 1:
        return TransportName.SLACK
    if TransportName.X_LINK in team.transports and number % 3 == 0:
        return TransportName.X_LINK
    return team.transports[0]


def _answer(
    rng: random.Random, metric: Metric, low_rating_factor: float, at: datetime, now: datetime
) -> dict[str, Any]:
    """Return the columns of an answer: many customers give none, and most answer within hours."""
    rated_at = at + timedelta(hours=rng.expovariate(1 / 9))
    unanswered = dict.fromkeys(("rating", "rated_at", "comment", "commented_at"))
    if rng.random() > ANSWERED_SHARE or rated_at > now:
        return unanswered
    rating = _rating(rng, metric, low_rating_factor)
    has_comment = rng.random() < COMMENTED_SHARE
    commented_at = rated_at + timedelta(minutes=rng.uniform(0.3, 4))
    comment = {"comment": _comment(rng, metric, rating), "commented_at": commented_at} if has_comment else {}
    return {**unanswered, "rating": rating, "rated_at": rated_at, **comment}


def _rating(rng: random.Random, metric: Metric, low_rating_factor: float) -> int:
    base_weights = CSAT_WEIGHTS if metric is Metric.CSAT else NPS_WEIGHTS
    weights = [
        weight * (1 + low_rating_factor * is_low(metric, rating)) for rating, weight in base_weights.items()
    ]
    return rng.choices(list(base_weights), weights)[0]


def _comment(rng: random.Random, metric: Metric, rating: int) -> str:
    is_happy = rating >= (5 if metric is Metric.CSAT else 9)
    mood = "unhappy" if is_low(metric, rating) else "happy" if is_happy else "middling"
    comments: Sequence[str] = COMMENTS[mood]
    return rng.choice(comments)


def _state(answer: dict[str, Any], at: datetime, now: datetime) -> State:
    if answer["rating"] is not None:
        return State.ANSWERED
    return State.EXPIRED if at < now - LAST_POLL_AGE else State.SENT


def _is_low(row: dict[str, Any]) -> bool:
    return row["rating"] is not None and is_low(row["metric"], row["rating"])


def _follow_up(
    rng: random.Random, team: Team, survey_id: int, row: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """Return the follow-up on a low rating; the newest ones are not taken yet."""
    opened_at = row["rated_at"]
    taken_at, closed_at = (
        opened_at + timedelta(hours=rng.uniform(1, 20)),
        opened_at + timedelta(hours=rng.uniform(24, 70)),
    )
    taken, closed = taken_at < now and rng.random() < TAKEN_SHARE, closed_at < now
    return {
        "survey_id": survey_id,
        "team": team.id,
        "opened_at": opened_at,
        "taken_by": team.supervisor if taken else None,
        "taken_at": taken_at if taken else None,
        "closed_by": team.supervisor if taken and closed else None,
        "closed_at": closed_at if taken and closed else None,
        "note": "Called the customer and put it right." if taken and closed else None,
    }

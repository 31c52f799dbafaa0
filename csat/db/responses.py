"""Answers: each update of X joins what is known of its survey, in whatever order, and however often it comes.

An update locks its survey's row first, so that of any that come at once each sees what the others left.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, delete, select, update

from csat.db import follow_ups, send_queue
from csat.db.inserts import insert_if_absent
from csat.db.outbox import NotificationKind, enqueue, withdraw
from csat.db.tables import attempts, surveys, unmatched_responses
from csat.db.transitions import transition, transition_to
from csat.surveys.limits import DAY
from csat.surveys.poll_schedule import first_poll
from csat.surveys.questions import Metric
from csat.surveys.responses import Comment, Rating, Response, Update, is_low
from csat.surveys.states import State

AROUND = timedelta(minutes=5)
"""How far X's time for an attempt may be from ours."""

KEPT = timedelta(hours=48)
"""How long an answer waits for the survey that it belongs to."""

_BEGUN = (State.SENDING, State.UNCERTAIN)
_UNNAMED = (*_BEGUN, State.SENT, State.EXPIRED)
"""Where a survey stands that X may have, and whose id at X is not known."""

_ANSWERED = transition_to(State.ANSWERED)


ERASED = and_(surveys.c.recipient_handle.is_(None), surveys.c.recipient_id.is_(None))
"""Of a survey: its customer was forgotten."""


class Taken(StrEnum):
    """What became of an update."""

    JOINED = "joined"
    """It is known of its survey, now or already before."""
    KEPT = "kept"
    """It waits for its survey."""
    IGNORED = "ignored"
    """Its customer was forgotten, or it tells nothing of a survey that is not ours."""
    IMPOSSIBLE = "impossible"
    """Its metric is not that of its survey."""


class Matched(NamedTuple):
    """What became of updates that waited, by their ids at X."""

    joined: list[str]
    impossible: list[str]
    dropped: list[str]
    """Their survey never came."""


def take(connection: Connection, told: Update, recipient_key: str, now: datetime) -> Taken:
    """Take an update: as what is known of its survey, which it settles where that is due; else keep it."""
    survey = (
        _known(connection, told.receipt.id)
        or _settled(connection, told, recipient_key, now)
        or _known(connection, told.receipt.id)  # somebody else has settled it while this one waited
    )
    if survey is None:
        return _keep(connection, told, recipient_key, now)
    return _join(connection, survey, told.metric, told.response, now)


def match_unmatched(connection: Connection, now: datetime, most: int) -> Matched:
    """Let answers that were kept join their surveys, and drop those that have waited too long."""
    # a limit keeps PostgreSQL from reading all surveys for a few answers
    theirs = select(surveys.c.id).where(surveys.c.feedback_id == unmatched_responses.c.feedback_id).limit(1)
    named = (
        select(unmatched_responses)
        .where(theirs.correlate(unmatched_responses).scalar_subquery().is_not(None))
        .limit(most)
    )
    waiting = connection.execute(named.with_for_update(of=unmatched_responses, skip_locked=True)).all()
    taken: dict[Taken, list[str]] = {outcome: [] for outcome in Taken}
    for row in waiting:
        if survey := _known(connection, row.feedback_id):
            outcome = _join(connection, survey, Metric(row.metric), _response(row), now)
            taken[outcome].append(row.feedback_id)
            connection.execute(
                delete(unmatched_responses).where(unmatched_responses.c.feedback_id == row.feedback_id)
            )
    old = (
        select(unmatched_responses.c.feedback_id)
        .where(unmatched_responses.c.received_at <= now - KEPT)
        .limit(most)
    )
    dropping = (
        delete(unmatched_responses)
        .where(unmatched_responses.c.feedback_id.in_(old))
        .returning(unmatched_responses.c.feedback_id)
    )
    dropped = list(connection.execute(dropping).scalars())
    return Matched(taken[Taken.JOINED], taken[Taken.IMPOSSIBLE], dropped)


def _known(connection: Connection, feedback_id: str) -> Row[Any] | None:
    known = select(surveys).where(surveys.c.feedback_id == feedback_id)
    return connection.execute(known.with_for_update()).first()


def _settled(connection: Connection, told: Update, recipient_key: str, now: datetime) -> Row[Any] | None:
    """Find the survey that an update names for the first time, and note its id at X."""
    begun = select(surveys, attempts.c.started_at).join(
        attempts, (attempts.c.survey_id == surveys.c.id) & (attempts.c.number == surveys.c.attempts)
    )
    created_at = told.receipt.created_at
    fitting = (
        surveys.c.account == told.account,
        surveys.c.recipient_key == recipient_key,
        surveys.c.external_id == told.receipt.external_id,
        surveys.c.metric == told.metric,
        surveys.c.feedback_id.is_(None),
        ~ERASED,
        surveys.c.state.in_(_UNNAMED),
        attempts.c.started_at.between(created_at - AROUND, created_at + AROUND),
    )
    found = connection.execute(begun.where(*fitting).with_for_update(of=surveys)).all()
    if not found:
        return None
    nearest = min(found, key=lambda row: abs(row.started_at - created_at))
    _name(connection, nearest, told, now)
    return _known(connection, told.receipt.id)


def _name(connection: Connection, survey: Row[Any], told: Update, now: datetime) -> None:
    if survey.state in _BEGUN:
        send_queue.mark_sent(connection, survey.id, survey.attempts, told.receipt, now)
        enqueue(connection, survey.id, NotificationKind.SENT, now)
        return
    created_at = told.receipt.created_at
    times = {"sent_at": created_at, "quota_until": created_at + DAY, "poll_at": first_poll(created_at)}
    values = {"feedback_id": told.receipt.id, **times}
    connection.execute(update(surveys).where(surveys.c.id == survey.id).values(values))


def _join(
    connection: Connection, survey: Row[Any], metric: Metric, response: Response, now: datetime
) -> Taken:
    if survey.recipient_handle is None and survey.recipient_id is None:
        return Taken.IGNORED
    if survey.metric != metric:
        return Taken.IMPOSSIBLE
    known = _response(survey)
    joined = known.merge(response)
    if joined == known:
        return Taken.JOINED
    values = _columns(joined) | ({"poll_at": None} if joined.rating and joined.comment else {})
    connection.execute(update(surveys).where(surveys.c.id == survey.id).values(values))
    if joined.rating and known.rating is None:
        transition(connection, _ANSWERED, survey.id)
        enqueue(connection, survey.id, NotificationKind.ANSWERED, now)
    if joined.rating and joined.rating != known.rating:
        _look_after(connection, survey, metric, joined.rating, now)
    return Taken.JOINED


def _look_after(
    connection: Connection, survey: Row[Any], metric: Metric, rating: Rating, now: datetime
) -> None:
    """Open a low rating for supervisors; an earlier rating that is not low closes it unseen."""
    if survey.test:
        return
    if not is_low(metric, rating.value):
        follow_ups.withdraw(connection, survey.id, now)
        withdraw(connection, survey.id, NotificationKind.LOW_RATING)
    elif follow_ups.open_for(connection, survey.id, survey.team, now):
        enqueue(connection, survey.id, NotificationKind.LOW_RATING, now)


def _keep(connection: Connection, told: Update, recipient_key: str, now: datetime) -> Taken:
    if told.response == Response() or _is_forgotten(connection, told.account, recipient_key):
        return Taken.IGNORED
    about = {"recipient_key": recipient_key, "external_id": told.receipt.external_id, "received_at": now}
    row = {"account": told.account, "metric": told.metric, "created_at": told.receipt.created_at, **about}
    this = unmatched_responses.c.feedback_id == told.receipt.id
    if insert_if_absent(
        connection, unmatched_responses, feedback_id=told.receipt.id, **row, **_columns(told.response)
    ):
        return Taken.KEPT
    kept = connection.execute(select(unmatched_responses).where(this).with_for_update()).first()
    if kept is None:  # it has joined its survey just now
        return take(connection, told, recipient_key, now)
    joined = _columns(_response(kept).merge(told.response))
    connection.execute(update(unmatched_responses).where(this).values(joined))
    return Taken.KEPT


def _is_forgotten(connection: Connection, account: str, recipient_key: str) -> bool:
    theirs = (surveys.c.account == account, surveys.c.recipient_key == recipient_key)
    return connection.execute(select(surveys.c.id).where(*theirs, ERASED).limit(1)).first() is not None


def _response(row: Row[Any]) -> Response:
    return Response(
        rating=None if row.rating is None else Rating(value=row.rating, given_at=row.rated_at),
        comment=None if row.comment is None else Comment(text=row.comment, given_at=row.commented_at),
    )


def _columns(response: Response) -> dict[str, Any]:
    rating, comment = response.rating, response.comment
    return {
        "rating": rating.value if rating else None,
        "rated_at": rating.given_at if rating else None,
        "comment": comment.text if comment else None,
        "commented_at": comment.given_at if comment else None,
    }

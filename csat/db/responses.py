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

MATCH_TOLERANCE = timedelta(minutes=5)
"""How far X's time for an attempt may be from ours."""

UNMATCHED_RETENTION = timedelta(hours=48)
"""How long an answer waits for the survey that it belongs to."""

_IN_FLIGHT = (State.SENDING, State.UNCERTAIN)
_UNIDENTIFIED = (*_IN_FLIGHT, State.SENT, State.EXPIRED)
"""Where a survey stands that X may have, and whose id at X is not known."""

_ANSWERED = transition_to(State.ANSWERED)


IS_ERASED = and_(surveys.c.recipient_handle.is_(None), surveys.c.recipient_id.is_(None))
"""Of a survey: its customer was forgotten."""


class UpdateOutcome(StrEnum):
    """What became of an update."""

    APPLIED = "applied"
    """It is known of its survey, now or already before."""
    UNMATCHED = "unmatched"
    """It waits for its survey."""
    IGNORED = "ignored"
    """Its customer was forgotten, or it tells nothing of a survey that is not ours."""
    INVALID = "invalid"
    """Its metric is not that of its survey."""


class MatchResult(NamedTuple):
    """What became of updates that waited, by their ids at X."""

    applied: list[str]
    invalid: list[str]
    expired: list[str]
    """Their survey never came."""


def apply_update(connection: Connection, told: Update, recipient_key: str, now: datetime) -> UpdateOutcome:
    """Take an update: as what is known of its survey, which it settles where that is due; else keep it."""
    survey = (
        _find_by_feedback_id(connection, told.receipt.id)
        or _find_by_attempt(connection, told, recipient_key, now)
        or _find_by_feedback_id(
            connection, told.receipt.id
        )  # somebody else has settled it while this one waited
    )
    if survey is None:
        return _store_unmatched(connection, told, recipient_key, now)
    return _merge(connection, survey, told.metric, told.response, now)


def match_unmatched(connection: Connection, now: datetime, most: int) -> MatchResult:
    """Let answers that were kept join their surveys, and drop those that have waited too long."""
    # a limit keeps PostgreSQL from reading all surveys for a few answers
    theirs = select(surveys.c.id).where(surveys.c.feedback_id == unmatched_responses.c.feedback_id).limit(1)
    named = (
        select(unmatched_responses)
        .where(theirs.correlate(unmatched_responses).scalar_subquery().is_not(None))
        .limit(most)
    )
    waiting = connection.execute(named.with_for_update(of=unmatched_responses, skip_locked=True)).all()
    taken: dict[UpdateOutcome, list[str]] = {outcome: [] for outcome in UpdateOutcome}
    for row in waiting:
        if survey := _find_by_feedback_id(connection, row.feedback_id):
            outcome = _merge(connection, survey, Metric(row.metric), _to_response(row), now)
            taken[outcome].append(row.feedback_id)
            connection.execute(
                delete(unmatched_responses).where(unmatched_responses.c.feedback_id == row.feedback_id)
            )
    old = (
        select(unmatched_responses.c.feedback_id)
        .where(unmatched_responses.c.received_at <= now - UNMATCHED_RETENTION)
        .limit(most)
    )
    dropping = (
        delete(unmatched_responses)
        .where(unmatched_responses.c.feedback_id.in_(old))
        .returning(unmatched_responses.c.feedback_id)
    )
    dropped = list(connection.execute(dropping).scalars())
    return MatchResult(taken[UpdateOutcome.APPLIED], taken[UpdateOutcome.INVALID], dropped)


def _find_by_feedback_id(connection: Connection, feedback_id: str) -> Row[Any] | None:
    known = select(surveys).where(surveys.c.feedback_id == feedback_id)
    return connection.execute(known.with_for_update()).first()


def _find_by_attempt(
    connection: Connection, told: Update, recipient_key: str, now: datetime
) -> Row[Any] | None:
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
        ~IS_ERASED,
        surveys.c.state.in_(_UNIDENTIFIED),
        attempts.c.started_at.between(created_at - MATCH_TOLERANCE, created_at + MATCH_TOLERANCE),
    )
    found = connection.execute(begun.where(*fitting).with_for_update(of=surveys)).all()
    if not found:
        return None
    nearest = min(found, key=lambda row: abs(row.started_at - created_at))
    _set_feedback_id(connection, nearest, told, now)
    return _find_by_feedback_id(connection, told.receipt.id)


def _set_feedback_id(connection: Connection, survey: Row[Any], told: Update, now: datetime) -> None:
    if survey.state in _IN_FLIGHT:
        send_queue.mark_sent(connection, survey.id, survey.attempts, told.receipt, now)
        enqueue(connection, survey.id, NotificationKind.SENT, now)
        return
    created_at = told.receipt.created_at
    times = {"sent_at": created_at, "quota_until": created_at + DAY, "poll_at": first_poll(created_at)}
    values = {"feedback_id": told.receipt.id, **times}
    connection.execute(update(surveys).where(surveys.c.id == survey.id).values(values))


def _merge(
    connection: Connection, survey: Row[Any], metric: Metric, response: Response, now: datetime
) -> UpdateOutcome:
    if survey.recipient_handle is None and survey.recipient_id is None:
        return UpdateOutcome.IGNORED
    if survey.metric != metric:
        return UpdateOutcome.INVALID
    known = _to_response(survey)
    joined = known.merge(response)
    if joined == known:
        return UpdateOutcome.APPLIED
    values = _to_columns(joined) | ({"poll_at": None} if joined.rating and joined.comment else {})
    connection.execute(update(surveys).where(surveys.c.id == survey.id).values(values))
    if joined.rating and known.rating is None:
        transition(connection, _ANSWERED, survey.id)
        enqueue(connection, survey.id, NotificationKind.ANSWERED, now)
    if joined.rating and joined.rating != known.rating:
        _update_follow_up(connection, survey, metric, joined.rating, now)
    return UpdateOutcome.APPLIED


def _update_follow_up(
    connection: Connection, survey: Row[Any], metric: Metric, rating: Rating, now: datetime
) -> None:
    """Open a low rating for supervisors; an earlier rating that is not low closes it unseen."""
    if survey.test:
        return
    if not is_low(metric, rating.value):
        follow_ups.withdraw(connection, survey.id, now)
        withdraw(connection, survey.id, NotificationKind.LOW_RATING)
    elif follow_ups.open_follow_up(connection, survey.id, survey.team, now):
        enqueue(connection, survey.id, NotificationKind.LOW_RATING, now)


def _store_unmatched(
    connection: Connection, told: Update, recipient_key: str, now: datetime
) -> UpdateOutcome:
    if told.response == Response() or _is_erased(connection, told.account, recipient_key):
        return UpdateOutcome.IGNORED
    about = {"recipient_key": recipient_key, "external_id": told.receipt.external_id, "received_at": now}
    row = {"account": told.account, "metric": told.metric, "created_at": told.receipt.created_at, **about}
    this = unmatched_responses.c.feedback_id == told.receipt.id
    if insert_if_absent(
        connection, unmatched_responses, feedback_id=told.receipt.id, **row, **_to_columns(told.response)
    ):
        return UpdateOutcome.UNMATCHED
    kept = connection.execute(select(unmatched_responses).where(this).with_for_update()).first()
    if kept is None:  # it has joined its survey just now
        return apply_update(connection, told, recipient_key, now)
    joined = _to_columns(_to_response(kept).merge(told.response))
    connection.execute(update(unmatched_responses).where(this).values(joined))
    return UpdateOutcome.UNMATCHED


def _is_erased(connection: Connection, account: str, recipient_key: str) -> bool:
    theirs = (surveys.c.account == account, surveys.c.recipient_key == recipient_key)
    return connection.execute(select(surveys.c.id).where(*theirs, IS_ERASED).limit(1)).first() is not None


def _to_response(row: Row[Any]) -> Response:
    return Response(
        rating=None if row.rating is None else Rating(value=row.rating, given_at=row.rated_at),
        comment=None if row.comment is None else Comment(text=row.comment, given_at=row.commented_at),
    )


def _to_columns(response: Response) -> dict[str, Any]:
    rating, comment = response.rating, response.comment
    return {
        "rating": rating.value if rating else None,
        "rated_at": rating.given_at if rating else None,
        "comment": comment.text if comment else None,
        "commented_at": comment.given_at if comment else None,
    }

"""Store the updates of delivered surveys, which X or the reconciler brings in any order, some repeatedly.

An update locks its survey first, so that concurrent updates of a survey are applied one after the other.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, delete, select, update

from csat.db import attempt_outcomes
from csat.db.idempotent_inserts import insert_if_absent
from csat.db.outbox import release
from csat.db.reconciliation import settle_as_sent
from csat.db.responses import store_response, to_columns, to_response
from csat.db.sent_again import was_sent_again_in_vain
from csat.db.tables import attempts, surveys
from csat.db.tables import unmatched_responses as unmatched
from csat.surveys.limits import DAY
from csat.surveys.questions import Metric
from csat.surveys.responses import Response, Update
from csat.surveys.states import State
from csat.surveys.transports import FACTS

MATCH_TOLERANCE = timedelta(minutes=5)
"""How far apart X's time and ours of the same attempt can be."""

UNMATCHED_RETENTION = timedelta(hours=48)
"""How long a response is stored without its survey."""

IS_ERASED = and_(surveys.c.recipient_handle.is_(None), surveys.c.recipient_id.is_(None))
"""A condition on surveys: their customer was erased."""

_ATTEMPTED = (State.SENDING, State.UNCERTAIN)
_WITHOUT_FEEDBACK_ID = (*_ATTEMPTED, State.SENT, State.EXPIRED)
"""States of surveys that X may have accepted while their `feedback_id` is unknown."""


class UpdateOutcome(StrEnum):
    """The outcome of an update."""

    ANSWERED = "answered"
    """Stored with its survey, which had no rating before."""
    APPLIED = "applied"
    """Stored with its survey, now or earlier."""
    UNMATCHED = "unmatched"
    """Stored until its survey is known."""
    IGNORED = "ignored"
    """About an erased customer, or without a response and without a survey."""
    INVALID = "invalid"
    """Its metric is not that of its survey."""


class MatchResult(NamedTuple):
    """The outcome of stored responses, by `feedback_id`."""

    applied: list[str]
    answered: list[Metric]
    """The types of surveys that had no rating before."""
    invalid: list[str]
    expired: list[str]
    """Deleted without a survey."""


def apply_update(
    connection: Connection, x_update: Update, recipient_key: str, now: datetime
) -> UpdateOutcome:
    """Store an update with its survey, which it can also mark as sent, or store it as unmatched."""
    known = _lock_survey(connection, x_update.receipt.id)
    survey = known or _match_attempt(connection, x_update, recipient_key, now)
    if survey is None:
        return _store_unmatched(connection, x_update, recipient_key, now)
    return _merge_response(connection, survey, x_update.metric, x_update.response, now)


def match_unmatched(connection: Connection, now: datetime, limit: int) -> MatchResult:
    """Store unmatched responses with surveys that are known by now, and delete those that are too old."""
    # without its limit, PostgreSQL reads all surveys for a few responses
    survey_id = select(surveys.c.id).where(surveys.c.feedback_id == unmatched.c.feedback_id).limit(1)
    has_survey = survey_id.correlate(unmatched).scalar_subquery().is_not(None)
    matched = select(unmatched).where(has_survey).limit(limit)
    applied, answered, invalid = list[str](), list[Metric](), list[str]()
    for row in connection.execute(matched.with_for_update(of=unmatched, skip_locked=True)).all():
        if survey := _lock_survey(connection, row.feedback_id):
            metric = Metric(row.metric)
            outcome = _merge_response(connection, survey, metric, to_response(row), now)
            if outcome is UpdateOutcome.ANSWERED:
                answered.append(metric)
            if outcome in {UpdateOutcome.ANSWERED, UpdateOutcome.APPLIED}:
                applied.append(row.feedback_id)
            if outcome is UpdateOutcome.INVALID:
                invalid.append(row.feedback_id)
            connection.execute(delete(unmatched).where(unmatched.c.feedback_id == row.feedback_id))
    expired = _delete_expired(connection, now, limit)
    return MatchResult(applied, answered, invalid, expired)


def _delete_expired(connection: Connection, now: datetime, limit: int) -> list[str]:
    is_expired = unmatched.c.received_at <= now - UNMATCHED_RETENTION
    expired = select(unmatched.c.feedback_id).where(is_expired).limit(limit)
    statement = delete(unmatched).where(unmatched.c.feedback_id.in_(expired))
    return list(connection.execute(statement.returning(unmatched.c.feedback_id)).scalars())


def _lock_survey(connection: Connection, feedback_id: str) -> Row[Any] | None:
    query = select(surveys).where(surveys.c.feedback_id == feedback_id)
    return connection.execute(query.with_for_update()).first()


def _match_attempt(
    connection: Connection, x_update: Update, recipient_key: str, now: datetime
) -> Row[Any] | None:
    """Find the attempt that an update with a new `feedback_id` is about, and store the id."""
    last_attempt = select(surveys, attempts.c.started_at).join(
        attempts, (attempts.c.survey_id == surveys.c.id) & (attempts.c.number == surveys.c.attempts)
    )
    created_at = x_update.receipt.created_at
    conditions = (
        surveys.c.account == x_update.account,
        surveys.c.transport == x_update.receipt.transport,
        surveys.c.recipient_key == recipient_key,
        surveys.c.external_id == x_update.receipt.external_id,
        surveys.c.metric == x_update.metric,
        surveys.c.feedback_id.is_(None),
        ~IS_ERASED,
        surveys.c.state.in_((*_WITHOUT_FEEDBACK_ID, State.REFUSED)),
        attempts.c.started_at.between(created_at - MATCH_TOLERANCE, created_at + MATCH_TOLERANCE),
    )
    rows = connection.execute(last_attempt.where(*conditions).with_for_update(of=surveys)).all()
    if matched := _lock_survey(connection, x_update.receipt.id):
        return matched  # by a concurrent transaction, while this one waited for the same rows
    rows = [row for row in rows if row.state != State.REFUSED or was_sent_again_in_vain(connection, row)]
    if not rows:
        return None
    nearest = min(rows, key=lambda row: abs(row.started_at - created_at))
    _store_receipt(connection, nearest, x_update, now)
    return _lock_survey(connection, x_update.receipt.id)


def _store_receipt(connection: Connection, survey: Row[Any], x_update: Update, now: datetime) -> None:
    receipt = x_update.receipt
    if survey.state in _ATTEMPTED:
        if sent := attempt_outcomes.mark_sent(connection, survey.id, survey.attempts, receipt, now):
            release(connection, sent, now)
        return
    if survey.state == State.REFUSED:
        settle_as_sent(connection, survey, now)
    values = {
        "feedback_id": receipt.id,
        "sent_at": receipt.created_at,
        "quota_until": receipt.created_at + DAY,
        "poll_at": FACTS[receipt.transport].first_poll(receipt.created_at),
    }
    connection.execute(update(surveys).where(surveys.c.id == survey.id).values(values))


def _merge_response(
    connection: Connection, survey: Row[Any], metric: Metric, response: Response, now: datetime
) -> UpdateOutcome:
    if survey.recipient_handle is None and survey.recipient_id is None:
        return UpdateOutcome.IGNORED
    if survey.metric != metric:
        return UpdateOutcome.INVALID
    stored = to_response(survey)
    merged = stored.merge(response)
    if merged == stored:
        return UpdateOutcome.APPLIED
    is_first = store_response(connection, survey, merged, now)
    return UpdateOutcome.ANSWERED if is_first else UpdateOutcome.APPLIED


def _store_unmatched(
    connection: Connection, x_update: Update, recipient_key: str, now: datetime
) -> UpdateOutcome:
    if x_update.response == Response() or _is_erased(connection, x_update.account, recipient_key):
        return UpdateOutcome.IGNORED
    receipt = x_update.receipt
    row = {
        "feedback_id": receipt.id,
        "account": x_update.account,
        "recipient_key": recipient_key,
        "external_id": receipt.external_id,
        "metric": x_update.metric,
        "created_at": receipt.created_at,
        "received_at": now,
        **to_columns(x_update.response),
    }
    if insert_if_absent(connection, unmatched, **row):
        return UpdateOutcome.UNMATCHED
    has_id = unmatched.c.feedback_id == receipt.id
    stored = connection.execute(select(unmatched).where(has_id).with_for_update()).first()
    if stored is None:  # `match_unmatched` has just matched it
        return apply_update(connection, x_update, recipient_key, now)
    merged = to_response(stored).merge(x_update.response)
    connection.execute(update(unmatched).where(has_id).values(to_columns(merged)))
    return UpdateOutcome.UNMATCHED


def _is_erased(connection: Connection, account: str, recipient_key: str) -> bool:
    conditions = (surveys.c.account == account, surveys.c.recipient_key == recipient_key, IS_ERASED)
    return connection.execute(select(surveys.c.id).where(*conditions).limit(1)).first() is not None

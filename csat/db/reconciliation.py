"""Settle uncertain surveys: by what their transport finds, as their requesters say, or by an answer."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from csat.db.account_scope import is_of
from csat.db.outbox import Notification, NotificationKind, enqueue, enqueue_claimed
from csat.db.survey_records import SurveyRecord, get_survey, to_record
from csat.db.survey_transitions import (
    SETTLEABLE,
    AlreadySettled,
    transition,
    transition_returning,
    transition_to,
)
from csat.db.tables import attempts, surveys
from csat.surveys.limits import DAY
from csat.surveys.states import State
from csat.surveys.transports import FACTS, TransportName

RECONCILE_AGAIN_AFTER = timedelta(minutes=10)
"""How long until the events are read again."""

_CONFIRMED = transition_to(State.SENT, SETTLEABLE).returning(surveys)
_SENDING = transition_to(State.SENDING)
_SENT = transition_to(State.SENT)


class UncertainAttempt(NamedTuple):
    """The last attempt of an uncertain survey."""

    survey: SurveyRecord
    recipient_key: str
    number: int
    started_at: datetime
    detail: str
    """Why its outcome is not known, or ""."""


def claim_uncertain(
    connection: Connection, accounts: Collection[str], now: datetime, limit: int
) -> list[UncertainAttempt]:
    """Claim uncertain surveys of these accounts, old enough to be settled, for `RECONCILE_AGAIN_AFTER`."""
    last_attempt = select(surveys, attempts.c.number, attempts.c.started_at, attempts.c.detail).join(
        attempts, (attempts.c.survey_id == surveys.c.id) & (attempts.c.number == surveys.c.attempts)
    )
    due = (surveys.c.reconcile_at <= now, surveys.c.state == State.UNCERTAIN, is_of(*accounts))
    rows = connection.execute(
        last_attempt.where(*due).limit(limit).with_for_update(of=surveys, skip_locked=True)
    ).all()
    for row in rows:
        claim = update(surveys).where(surveys.c.id == row.id)
        connection.execute(claim.values(reconcile_at=now + RECONCILE_AGAIN_AFTER))
    return [
        UncertainAttempt(to_record(row), row.recipient_key, row.number, row.started_at, row.detail or "")
        for row in rows
    ]


def give_up_reconciling(connection: Connection, survey_id: int, now: datetime) -> bool:
    """Leave a survey uncertain until its requester settles it, who is told; return False if it is settled."""
    uncertain = (surveys.c.id == survey_id, surveys.c.state == State.UNCERTAIN)
    if connection.execute(update(surveys).where(*uncertain).values(reconcile_at=None)).rowcount == 0:
        return False
    enqueue(connection, survey_id, NotificationKind.LEFT_UNCERTAIN, now)
    return True


def is_reconciled(connection: Connection, survey_id: int) -> bool:
    """Return True unless only its requester can settle an uncertain survey."""
    reconcile_at = select(surveys.c.reconcile_at).where(surveys.c.id == survey_id)
    return connection.execute(reconcile_at).scalar_one_or_none() is not None


def confirm_arrival(
    connection: Connection, survey_id: int, team: str, requester: str, now: datetime
) -> Notification | None:
    """Settle an uncertain survey as sent, as its requester says; return `None` when this is repeated.

    Raises:
        AlreadySettled: it was settled in another way.
    """
    uncertain = get_survey(connection, survey_id)
    if uncertain is None:
        raise AlreadySettled
    sent_at = connection.execute(select(surveys.c.sent_at).where(surveys.c.id == survey_id)).scalar_one()
    first_poll = FACTS[uncertain.survey.transport].first_poll(sent_at or now)
    values = {"in_team": team, "by": requester, "reconcile_at": None, "poll_at": first_poll}
    survey = transition_returning(connection, _CONFIRMED, survey_id, **values)
    if survey:
        return enqueue_claimed(connection, survey, NotificationKind.SENT, now)
    settled = get_survey(connection, survey_id)
    if not (settled and settled.origin.is_from(team, requester) and _is_confirmed(settled)):
        raise AlreadySettled
    return None


def settle_as_sent(connection: Connection, survey: Row[Any], now: datetime) -> None:
    """Mark a survey as sent that its customer has seen, whatever its attempts have come to."""
    sent_at = survey.sent_at or now
    values = {
        "sent_at": sent_at,
        "quota_until": sent_at + DAY,
        "reconcile_at": None,
        "poll_at": FACTS[TransportName(survey.transport)].first_poll(sent_at),
        "lease_owner": None,
        "lease_until": None,
    }
    transition(connection, _SENDING, survey.id)
    if not transition(connection, _SENT, survey.id, **values):
        return
    last = (attempts.c.survey_id == survey.id, attempts.c.number == survey.attempts)
    connection.execute(update(attempts).where(*last).values(ended_at=now, outcome=State.SENT, detail=""))
    enqueue(connection, survey.id, NotificationKind.SENT, now)


def _is_confirmed(survey: SurveyRecord) -> bool:
    """Return True if its requester said that it arrived, as X's id of all others is known."""
    return survey.state is State.SENT and survey.feedback_id is None

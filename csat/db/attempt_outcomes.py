"""The outcomes of the attempts to send a survey, one transaction each.

An instance may be overtaken while it sends: its attempt expires, and is declared uncertain. So each outcome
names the attempt that it belongs to; once that is lost, only a late receipt still changes anything.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from csat.db.limits import NEVER
from csat.db.outbox import Notification, NotificationKind, enqueue_claimed
from csat.db.send_queue import waiting_columns
from csat.db.survey_records import Refusal, Wait
from csat.db.survey_transitions import has_state, transition, transition_returning, transition_to
from csat.db.tables import attempts, surveys
from csat.surveys.limits import DAY
from csat.surveys.receipt import Receipt
from csat.surveys.states import State
from csat.surveys.transports import FACTS, TransportName

UNCERTAIN = "Uncertain"
"""The reason of a survey whose outcome is unknown."""

# built once, as building a statement costs more than running it; the parameters set the values
_OWN_ATTEMPT = surveys.c.attempts == bindparam("attempt_number")
_SENT = transition_to(State.SENT, surveys.c.state != State.REFUSED).returning(surveys)
_LATE_RECEIPT = update(surveys).where(
    surveys.c.id == bindparam("survey_id"),
    surveys.c.feedback_id.is_(None),
    has_state(State.SENT, State.ANSWERED, State.EXPIRED),
)
_RETRIED = transition_to(State.ACCEPTED, _OWN_ATTEMPT)
_REFUSED = transition_to(State.REFUSED, _OWN_ATTEMPT, surveys.c.state != State.ACCEPTED).returning(surveys)
_UNCERTAIN = transition_to(State.UNCERTAIN, _OWN_ATTEMPT).returning(surveys)
_END_ATTEMPT = update(attempts).where(
    attempts.c.survey_id == bindparam("attempted_id"), attempts.c.number == bindparam("attempt_number")
)


def mark_sent(
    connection: Connection, survey_id: int, number: int, receipt: Receipt, now: datetime
) -> Notification | None:
    """Store X's receipt, also a late one for an uncertain survey; return `None` if it was sent anyway."""
    survey = transition_returning(
        connection,
        _SENT,
        survey_id,
        feedback_id=receipt.id or None,
        sent_at=receipt.created_at,
        quota_until=receipt.created_at + DAY,
        reconcile_at=None,
        poll_at=FACTS[receipt.transport].first_poll(receipt.created_at),
    )
    if survey is None:
        connection.execute(_LATE_RECEIPT, {"survey_id": survey_id, "feedback_id": receipt.id or None})
    _end_attempt(connection, survey_id, number, State.SENT, "", now)
    return enqueue_claimed(connection, survey, NotificationKind.SENT, now) if survey else None


def refuse(
    connection: Connection, survey_id: int, number: int, refusal: Refusal, detail: str, now: datetime
) -> Notification | None:
    """Store that an attempt has failed for good; return `None` if it changes nothing."""
    values = {**refusal.model_dump(), "quota_until": NEVER, "reconcile_at": None}
    survey = transition_returning(connection, _REFUSED, survey_id, attempt_number=number, **values)
    _end_attempt(connection, survey_id, number, State.REFUSED, detail, now)
    return enqueue_claimed(connection, survey, NotificationKind.REFUSED, now) if survey else None


def mark_uncertain(
    connection: Connection,
    survey_id: int,
    number: int,
    transport: TransportName,
    detail: str,
    now: datetime,
    advice: str = "",
) -> Notification | None:
    """Store that the outcome of an attempt is unknown; the requester is given the advice."""
    values = {
        "sent_at": now,
        "quota_until": now + DAY,
        "reconcile_at": now + FACTS[transport].settles_after,
        "reason": UNCERTAIN,
        "advice": advice,
    }
    survey = transition_returning(connection, _UNCERTAIN, survey_id, attempt_number=number, **values)
    _end_attempt(connection, survey_id, number, State.UNCERTAIN, detail, now)
    return enqueue_claimed(connection, survey, NotificationKind.UNCERTAIN, now) if survey else None


def reschedule(
    connection: Connection, survey_id: int, number: int, wait: Wait, detail: str, now: datetime
) -> bool:
    """Put a survey back after an attempt; return False if it is not to be sent any more."""
    is_waiting = transition(connection, _RETRIED, survey_id, attempt_number=number, **waiting_columns(wait))
    _end_attempt(connection, survey_id, number, State.ACCEPTED, detail, now)
    return is_waiting


def mark_stalled(connection: Connection, now: datetime, active: Collection[int] = ()) -> list[Notification]:
    """Declare attempts uncertain whose instance is gone: their lease has expired.

    Those of `active` surveys are left: the calling instance is about to store their outcomes.
    """
    stalled = connection.execute(
        select(surveys.c.id, surveys.c.attempts, surveys.c.transport)
        .where(surveys.c.state == State.SENDING, surveys.c.lease_until < now)
        .with_for_update(skip_locked=True)
    ).all()
    detail = "the instance that sent it is gone"
    marked = (
        mark_uncertain(connection, survey_id, number, TransportName(transport), detail, now)
        for survey_id, number, transport in stalled
        if survey_id not in active
    )
    return [notification for notification in marked if notification]


def _end_attempt(
    connection: Connection, survey_id: int, number: int, outcome: State, detail: str, now: datetime
) -> None:
    # after the survey, which every transaction locks before its attempts
    attempt = {"attempted_id": survey_id, "attempt_number": number}
    connection.execute(_END_ATTEMPT, {**attempt, "ended_at": now, "outcome": outcome, "detail": detail})

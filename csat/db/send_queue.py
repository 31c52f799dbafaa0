"""The queue of accepted surveys and the outcomes of their attempts, one transaction per step.

An instance may be overtaken at any time: its claim or attempt expires, and another one takes the survey over.
So every step names the claim (instance and number of attempts so far) or the attempt that it belongs to, and
changes nothing once that is lost.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select, text, update

from csat.db import opt_outs
from csat.db.account_pauses import NOT_PAUSED
from csat.db.account_scope import is_of
from csat.db.limits import NEVER, check_previous, lock_account
from csat.db.opt_outs import NOT_OPTED_OUT
from csat.db.outbox import Notification, NotificationKind, enqueue_claimed
from csat.db.submissions import CLAIM_LEASE
from csat.db.survey_records import Refusal, SurveyRecord, Wait, get_recipient_key, get_survey, to_record
from csat.db.survey_transitions import REQUESTED, has_state, transition, transition_returning, transition_to
from csat.db.tables import accounts as accounts_table
from csat.db.tables import attempts, surveys
from csat.surveys.limits import DAY, Limits
from csat.surveys.origin import RESPONSE_URL_LIFETIME
from csat.surveys.receipt import Receipt
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.transports import FACTS, TransportName

ATTEMPT_LEASE = timedelta(seconds=40)
"""How long an attempt may take: the call to X, and storing its outcome in a busy database."""

UNCERTAIN = "Uncertain"
"""The reason of a survey whose outcome is unknown."""

# built once, as building a statement costs more than running it; the parameters set the values
_OWN_CLAIM = (
    surveys.c.lease_owner == bindparam("instance"),
    surveys.c.attempts == bindparam("attempts_before"),
)
_OWN_ATTEMPT = surveys.c.attempts == bindparam("attempt_number")
_CLAIMED = update(surveys).where(
    surveys.c.id == bindparam("survey_id"), surveys.c.state == State.ACCEPTED, *_OWN_CLAIM
)
_SENDING = transition_to(State.SENDING, *_OWN_CLAIM, NOT_PAUSED, NOT_OPTED_OUT)
_SENT = transition_to(State.SENT, surveys.c.state != State.REFUSED).returning(surveys)
_LATE_RECEIPT = update(surveys).where(
    surveys.c.id == bindparam("survey_id"),
    surveys.c.feedback_id.is_(None),
    has_state(State.SENT, State.ANSWERED, State.EXPIRED),
)
_RETRIED = transition_to(State.ACCEPTED, _OWN_ATTEMPT)
_REFUSED = transition_to(State.REFUSED).returning(surveys)
_REFUSED_CLAIM = transition_to(State.REFUSED, *_OWN_CLAIM).returning(surveys)
_REFUSED_ATTEMPT = transition_to(State.REFUSED, _OWN_ATTEMPT, surveys.c.state != State.ACCEPTED).returning(
    surveys
)
_UNCERTAIN = transition_to(State.UNCERTAIN, _OWN_ATTEMPT).returning(surveys)
_CANCELLED = transition_to(State.CANCELLED, REQUESTED)
_BEGIN_ATTEMPT = insert(attempts)
_END_ATTEMPT = update(attempts).where(
    attempts.c.survey_id == bindparam("attempted_id"), attempts.c.number == bindparam("attempt_number")
)


def claim(
    connection: Connection, accounts: Collection[str], instance: str, now: datetime, limit: int
) -> list[SurveyRecord]:
    """Claim surveys of these accounts that are due and not claimed already, the longest overdue first."""
    is_due = (surveys.c.state == State.ACCEPTED, surveys.c.due_at <= now)
    is_unclaimed = or_(surveys.c.lease_until.is_(None), surveys.c.lease_until < now)
    due = (
        select(surveys.c.id)
        .where(*is_due, is_unclaimed, is_of(*accounts), NOT_PAUSED)
        .order_by(surveys.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = connection.execute(
        update(surveys)
        .where(surveys.c.id.in_(due))
        .values(lease_owner=instance, lease_until=now + CLAIM_LEASE)
        .returning(surveys)
    )
    return [to_record(row) for row in claimed]


def renew_claim(connection: Connection, survey: SurveyRecord, instance: str, now: datetime) -> bool:
    """Begin the lease of a claim anew; return False if the claim was lost."""
    return _update_claimed(connection, survey, instance, lease_until=now + CLAIM_LEASE)


def release(connection: Connection, survey: SurveyRecord, instance: str) -> bool:
    """Give up a claim, so that any instance can send the survey; return False if the claim was lost."""
    return _update_claimed(connection, survey, instance, lease_owner=None, lease_until=None)


def store_recipient(
    connection: Connection,
    survey: SurveyRecord,
    instance: str,
    recipient: Recipient,
    key: str,
    limits: Limits,
    now: datetime,
) -> SurveyRecord | None:
    """Store the recipient that X has resolved, and renew the claim; return `None` if it was lost.

    Raises:
        Denied: an opt-out or a limit denies the recipient a survey.
    """
    lock_account(connection, survey.account)
    values = {"recipient_handle": recipient.handle, "recipient_id": recipient.id, "recipient_key": key}
    if not _update_claimed(connection, survey, instance, **values, lease_until=now + CLAIM_LEASE):
        return None
    opt_outs.check(connection, key)
    check_previous(connection, survey.account, key, recipient, limits, now, other_than=survey.id)
    return survey.model_copy(update={"survey": survey.survey.with_recipient(recipient)})


def begin_attempt(connection: Connection, survey: SurveyRecord, instance: str, now: datetime) -> int | None:
    """Store that an attempt starts, before it leaves; return its number, or `None` if the claim was lost.

    Raises:
        Denied: the recipient has opted out since the survey was accepted.
    """
    number = survey.attempts + 1
    lease = {"attempts": number, "lease_until": now + ATTEMPT_LEASE}
    if not transition(connection, _SENDING, survey.id, **_own_claim(survey, instance), **lease):
        if key := get_recipient_key(connection, survey.id):
            opt_outs.check(connection, key)
        return None
    attempt = {"survey_id": survey.id, "number": number, "instance": instance, "started_at": now}
    connection.execute(_BEGIN_ATTEMPT, attempt)
    return number


def refuse_claimed(
    connection: Connection, survey: SurveyRecord, instance: str, refusal: Refusal, now: datetime
) -> Notification | None:
    """Store that a claimed survey will not be sent; return `None` if the claim was lost."""
    values = {**refusal.model_dump(), "quota_until": NEVER}
    refused = transition_returning(
        connection, _REFUSED_CLAIM, survey.id, **_own_claim(survey, instance), **values
    )
    return enqueue_claimed(connection, refused, NotificationKind.REFUSED, now) if refused else None


def reschedule_claimed(connection: Connection, survey: SurveyRecord, instance: str, wait: Wait) -> bool:
    """Put a claimed survey back; return False if the claim was lost."""
    return _update_claimed(connection, survey, instance, **_put_back(wait), attempts=survey.attempts + 1)


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
    survey = transition_returning(connection, _REFUSED_ATTEMPT, survey_id, attempt_number=number, **values)
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
    is_waiting = transition(connection, _RETRIED, survey_id, attempt_number=number, **_put_back(wait))
    _end_attempt(connection, survey_id, number, State.ACCEPTED, detail, now)
    return is_waiting


def cancel(connection: Connection, survey_id: int, team: str, requester: str) -> State | None:
    """Cancel a waiting survey; return its state now, or `None` if it is not this requester's."""
    transition(connection, _CANCELLED, survey_id, in_team=team, by=requester, quota_until=NEVER)
    survey = get_survey(connection, survey_id)
    return survey.state if survey and survey.origin.is_from(team, requester) else None


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


def refuse_overdue(
    connection: Connection, account: str, accepted_before: datetime, now: datetime, limit: int
) -> list[Notification]:
    """Refuse surveys that have waited too long for their paused account, with the reason for the pause."""
    table = accounts_table.c
    paused = select(table.cause, table.advice).where(table.id == account, table.paused_at.is_not(None))
    pause = connection.execute(paused).first()
    if pause is None:
        return []
    is_overdue = (surveys.c.state == State.ACCEPTED, surveys.c.accepted_at < accepted_before, is_of(account))
    overdue = select(surveys.c.id).where(*is_overdue).limit(limit).with_for_update(skip_locked=True)
    refusal = Refusal(reason=pause.cause, advice=pause.advice, editable=False)
    values = {**refusal.model_dump(), "quota_until": NEVER}
    refused = (
        transition_returning(connection, _REFUSED, survey_id, **values)
        for survey_id in connection.execute(overdue).scalars().all()
    )
    return [
        enqueue_claimed(connection, survey, NotificationKind.REFUSED, now) for survey in refused if survey
    ]


def erase_response_urls(connection: Connection, now: datetime) -> None:
    """Erase each `response_url` that Slack has let expire."""
    expired = (surveys.c.received_at < now - RESPONSE_URL_LIFETIME, text("response_url <> ''"))
    connection.execute(update(surveys).where(*expired).values(response_url=""))


def _own_claim(survey: SurveyRecord, instance: str) -> dict[str, Any]:
    return {"instance": instance, "attempts_before": survey.attempts}


def _put_back(wait: Wait) -> dict[str, Any]:
    return {"due_at": wait.until, "reason": wait.reason, "lease_owner": None, "lease_until": None}


def _update_claimed(
    connection: Connection,
    survey: SurveyRecord,
    instance: str,
    **values: Any,  # noqa: ANN401
) -> bool:
    parameters = {"survey_id": survey.id, **_own_claim(survey, instance), **values}
    return connection.execute(_CLAIMED, parameters).rowcount == 1


def _end_attempt(
    connection: Connection, survey_id: int, number: int, outcome: State, detail: str, now: datetime
) -> None:
    # after the survey, which every transaction locks before its attempts
    attempt = {"attempted_id": survey_id, "attempt_number": number}
    connection.execute(_END_ATTEMPT, {**attempt, "ended_at": now, "outcome": outcome, "detail": detail})

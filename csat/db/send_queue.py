"""The queue of accepted surveys, up to the attempt to send one: one transaction per step.

An instance may be overtaken at any time: its claim expires, and another one takes the survey over. So every
step names the claim that it belongs to (instance and number of attempts so far), and changes nothing once
that is lost.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select, text, update

from csat.db import opt_outs
from csat.db.account_pauses import NOT_PAUSED
from csat.db.account_scope import is_of
from csat.db.limits import NEVER, check_resolved, lock_account
from csat.db.opt_outs import NOT_OPTED_OUT
from csat.db.outbox import Notification, NotificationKind, enqueue_claimed
from csat.db.submissions import CLAIM_LEASE
from csat.db.survey_records import Refusal, SurveyRecord, Wait, get_recipient_key, get_survey, to_record
from csat.db.survey_transitions import REQUESTED, transition, transition_returning, transition_to
from csat.db.tables import accounts as accounts_table
from csat.db.tables import attempts, surveys
from csat.surveys.limits import Limits
from csat.surveys.origin import RESPONSE_URL_LIFETIME
from csat.surveys.recipients import Recipient
from csat.surveys.states import State

ATTEMPT_LEASE = timedelta(seconds=40)
"""How long an attempt may take: the call to X, and storing its outcome in a busy database."""

# built once, as building a statement costs more than running it; the parameters set the values
_OWN_CLAIM = (
    surveys.c.lease_owner == bindparam("instance"),
    surveys.c.attempts == bindparam("attempts_before"),
)
_CLAIMED = update(surveys).where(
    surveys.c.id == bindparam("survey_id"), surveys.c.state == State.ACCEPTED, *_OWN_CLAIM
)
_SENDING = transition_to(State.SENDING, *_OWN_CLAIM, NOT_PAUSED, NOT_OPTED_OUT)
_REFUSED = transition_to(State.REFUSED).returning(surveys)
_REFUSED_CLAIM = transition_to(State.REFUSED, *_OWN_CLAIM).returning(surveys)
_CANCELLED = transition_to(State.CANCELLED, REQUESTED)
_BEGIN_ATTEMPT = insert(attempts)


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
    check_resolved(connection, survey.account, key, recipient, limits, now, survey.id)
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
    return _update_claimed(
        connection, survey, instance, **waiting_columns(wait), attempts=survey.attempts + 1
    )


def cancel(connection: Connection, survey_id: int, team: str, requester: str) -> State | None:
    """Cancel a waiting survey; return its state now, or `None` if it is not this requester's."""
    transition(connection, _CANCELLED, survey_id, in_team=team, by=requester, quota_until=NEVER)
    survey = get_survey(connection, survey_id)
    return survey.state if survey and survey.origin.is_from(team, requester) else None


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


def waiting_columns(wait: Wait) -> dict[str, Any]:
    """Return the columns of a survey that is put back into the queue."""
    return {"due_at": wait.until, "reason": wait.reason, "lease_owner": None, "lease_until": None}


def _own_claim(survey: SurveyRecord, instance: str) -> dict[str, Any]:
    return {"instance": instance, "attempts_before": survey.attempts}


def _update_claimed(
    connection: Connection,
    survey: SurveyRecord,
    instance: str,
    **values: object,
) -> bool:
    parameters = {"survey_id": survey.id, **_own_claim(survey, instance), **values}
    return connection.execute(_CLAIMED, parameters).rowcount == 1

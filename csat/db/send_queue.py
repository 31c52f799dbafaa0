"""The life of an accepted survey, one transaction a step; `surveys.states` says which steps there are."""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, or_, select, text, update

from csat.db.accounts import NOT_PAUSED
from csat.db.limits import NEVER, check_limits, lock_account
from csat.db.outbox import NotificationKind, enqueue_claimed
from csat.db.submissions import CLAIM
from csat.db.survey_records import Refusal, SurveyRecord, get_survey, to_record
from csat.db.tables import accounts, attempts, surveys
from csat.db.transitions import UNSETTLED, transition, transition_to
from csat.surveys.limits import DAY, Limits
from csat.surveys.poll_schedule import first_poll
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.survey import Receipt

ATTEMPT = timedelta(seconds=40)
"""For how long an attempt may take: a call to X, and writing its outcome to a busy ledger."""

SETTLING = DAY + timedelta(minutes=10)
"""After this, X's own record tells what became of an attempt: it shows nothing younger than 24 hours."""

ASKING_AGAIN = timedelta(minutes=10)
"""How long until X is asked once more what became of an attempt."""

RESPONSE_URL_LIFETIME = timedelta(minutes=30)
"""Slack's own limit."""

# built once, as that is most of what SQLAlchemy costs; what is set comes with the parameters
_BY_REQUESTER = surveys.c.requester == bindparam("by")
_ACCEPTED = transition_to(State.ACCEPTED)
_SENDING = transition_to(State.SENDING, surveys.c.lease_owner == bindparam("instance"), NOT_PAUSED)
_SENT = transition_to(State.SENT)
_REFUSED = transition_to(State.REFUSED)
_UNCERTAIN = transition_to(State.UNCERTAIN)
_CANCELLED = transition_to(State.CANCELLED, _BY_REQUESTER)
_CONFIRMED = transition_to(State.SENT, UNSETTLED)
_BEGIN_ATTEMPT = insert(attempts)
_END_ATTEMPT = update(attempts).where(
    attempts.c.survey_id == bindparam("of"), attempts.c.number == bindparam("nth")
)


def release(connection: Connection, survey_id: int, instance: str) -> None:
    """Leave a survey that was claimed and not begun to whoever comes next."""
    mine = (surveys.c.id == survey_id, surveys.c.state == State.ACCEPTED, surveys.c.lease_owner == instance)
    connection.execute(update(surveys).where(*mine).values(lease_owner=None, lease_until=None))


def claim(connection: Connection, instance: str, now: datetime, most: int) -> list[SurveyRecord]:
    """Claim surveys whose time has come and that no living instance holds, the longest waiting first."""
    free = or_(surveys.c.lease_until.is_(None), surveys.c.lease_until < now)
    due = (
        select(surveys.c.id)
        .where(surveys.c.state == State.ACCEPTED, surveys.c.due_at <= now, free, NOT_PAUSED)
        .order_by(surveys.c.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claimed = connection.execute(
        update(surveys)
        .where(surveys.c.id.in_(due))
        .values(lease_owner=instance, lease_until=now + CLAIM)
        .returning(surveys)
    )
    return [to_record(row) for row in claimed]


def resolve(
    connection: Connection, entry: SurveyRecord, recipient: Recipient, key: str, limits: Limits, now: datetime
) -> SurveyRecord:
    """Keep what X said of the recipient; raises `Denied` where they were asked in the meantime."""
    lock_account(connection, entry.account)
    check_limits(
        connection, entry.account, key, recipient, limits.model_copy(update={"daily": sys.maxsize}), now
    )
    values = {"recipient_handle": recipient.handle, "recipient_id": recipient.id, "recipient_key": key}
    still = (surveys.c.id == entry.id, surveys.c.state == State.ACCEPTED)
    connection.execute(update(surveys).where(*still).values(**values))
    return entry.model_copy(update={"survey": entry.survey.with_recipient(recipient)})


def begin_attempt(connection: Connection, entry: SurveyRecord, instance: str, now: datetime) -> int | None:
    """Commit that an attempt begins, before it leaves; `None` when the survey is no longer ours to send."""
    number = entry.attempts + 1
    if not transition(
        connection, _SENDING, entry.id, instance=instance, attempts=number, lease_until=now + ATTEMPT
    ):
        return None
    attempt = {"survey_id": entry.id, "number": number, "instance": instance, "started_at": now}
    connection.execute(_BEGIN_ATTEMPT, attempt)
    return number


def mark_sent(connection: Connection, survey_id: int, number: int, receipt: Receipt, now: datetime) -> bool:
    """Note X's receipt; a late one settles what had become uncertain."""
    moved = transition(
        connection,
        _SENT,
        survey_id,
        feedback_id=receipt.id,
        sent_at=receipt.created_at,
        quota_until=receipt.created_at + DAY,
        reconcile_at=None,
        poll_at=first_poll(receipt.created_at),
    )
    _end(connection, survey_id, number, State.SENT, "", now)
    if moved:
        enqueue_claimed(connection, survey_id, NotificationKind.SENT, now)
    return moved


def refuse(
    connection: Connection, survey_id: int, number: int | None, refusal: Refusal, detail: str, now: datetime
) -> bool:
    """Note that a survey will not be sent; `number` is empty where no attempt was made."""
    values = refusal.model_dump() | {"quota_until": NEVER, "reconcile_at": None}
    moved = transition(connection, _REFUSED, survey_id, **values)
    if number is not None:
        _end(connection, survey_id, number, State.REFUSED, detail, now)
    if moved:
        enqueue_claimed(connection, survey_id, NotificationKind.REFUSED, now)
    return moved


def mark_uncertain(connection: Connection, survey_id: int, number: int, detail: str, now: datetime) -> bool:
    """Note that nobody knows what became of an attempt."""
    moved = transition(
        connection, _UNCERTAIN, survey_id, sent_at=now, quota_until=now + DAY, reconcile_at=now + SETTLING
    )
    _end(connection, survey_id, number, State.UNCERTAIN, detail, now)
    if moved:
        enqueue_claimed(connection, survey_id, NotificationKind.UNCERTAIN, now)
    return moved


def reschedule(
    connection: Connection, survey_id: int, number: int | None, until: datetime, detail: str, now: datetime
) -> bool:
    """Put a survey back until `until`, if it is still to be sent; `number` is empty without an attempt."""
    values = {"due_at": until, "lease_owner": None, "lease_until": None}
    if number is not None:
        moved = transition(connection, _ACCEPTED, survey_id, **values)
        _end(connection, survey_id, number, State.ACCEPTED, detail, now)
        return moved
    still = (surveys.c.id == survey_id, surveys.c.state == State.ACCEPTED)
    waiting = update(surveys).where(*still).values(**values, attempts=surveys.c.attempts + 1)
    return connection.execute(waiting).rowcount == 1


def cancel(connection: Connection, survey_id: int, requester: str) -> State | None:
    """Cancel a waiting survey; returns where it stands now, or `None` where it is not this requester's."""
    transition(connection, _CANCELLED, survey_id, by=requester, quota_until=NEVER)
    return _state_for(connection, survey_id, requester)


def _state_for(connection: Connection, survey_id: int, requester: str) -> State | None:
    entry = get_survey(connection, survey_id)
    return entry.state if entry and entry.origin.requester == requester else None


def mark_stalled(connection: Connection, now: datetime) -> list[int]:
    """Declare uncertain what an instance that is gone had begun to send; returns the surveys' ids."""
    orphans: Sequence[Any] = connection.execute(
        select(surveys.c.id, surveys.c.attempts)
        .where(surveys.c.state == State.SENDING, surveys.c.lease_until < now)
        .with_for_update(skip_locked=True)
    ).all()
    for survey_id, number in orphans:
        mark_uncertain(connection, survey_id, number, "the instance that sent it is gone", now)
    return [survey_id for survey_id, _ in orphans]


def list_overdue(
    connection: Connection, accepted_before: datetime, most: int
) -> list[tuple[SurveyRecord, Refusal]]:
    """Return surveys that have waited too long for a paused account, with the cause of that."""
    late = (surveys.c.state == State.ACCEPTED, surveys.c.accepted_at < accepted_before)
    paused = select(surveys, accounts.c.cause, accounts.c.advice.label("account_advice")).join(
        accounts, accounts.c.id == surveys.c.account
    )
    rows = connection.execute(paused.where(*late, accounts.c.paused_at.is_not(None)).limit(most))
    return [
        (to_record(row), Refusal(reason=row.cause, advice=row.account_advice, editable=False)) for row in rows
    ]


class Unsettled(NamedTuple):
    """A survey whose last attempt has an unknown outcome."""

    entry: SurveyRecord
    number: int
    begun: datetime


def claim_unsettled(connection: Connection, now: datetime, most: int) -> list[Unsettled]:
    """Claim uncertain surveys that X can tell of by now; where it does not, they are claimed again later."""
    begun = select(surveys, attempts.c.number, attempts.c.started_at).join(
        attempts, (attempts.c.survey_id == surveys.c.id) & (attempts.c.number == surveys.c.attempts)
    )
    due = (surveys.c.reconcile_at <= now, surveys.c.state == State.UNCERTAIN)
    rows = connection.execute(
        begun.where(*due).limit(most).with_for_update(of=surveys, skip_locked=True)
    ).all()
    again = {"reconcile_at": now + ASKING_AGAIN}
    for row in rows:
        connection.execute(update(surveys).where(surveys.c.id == row.id).values(**again))
    return [Unsettled(to_record(row), row.number, row.started_at) for row in rows]


def give_up_settling(connection: Connection, survey_id: int) -> bool:
    """Ask X no more what became of a survey: it stays uncertain, finished but for its requester's word."""
    unsettled = (surveys.c.id == survey_id, surveys.c.state == State.UNCERTAIN)
    return connection.execute(update(surveys).where(*unsettled).values(reconcile_at=None)).rowcount == 1


def confirm_arrival(connection: Connection, survey_id: int, requester: str, now: datetime) -> bool:
    """Settle an uncertain survey as sent, as its requester says; whether that settled it."""
    moved = transition(
        connection, _CONFIRMED, survey_id, by=requester, reconcile_at=None, poll_at=first_poll(now)
    )
    if moved:
        enqueue_claimed(connection, survey_id, NotificationKind.SENT, now)
    return moved


def erase_response_urls(connection: Connection, now: datetime) -> None:
    """Erase each `response_url` that Slack no longer answers."""
    dead = (surveys.c.received_at < now - RESPONSE_URL_LIFETIME, text("response_url <> ''"))
    connection.execute(update(surveys).where(*dead).values(response_url=""))


def _end(
    connection: Connection, survey_id: int, number: int, outcome: State, detail: str, now: datetime
) -> None:
    # after the survey: whoever takes an answer locks that first, and then comes here
    attempt = {"of": survey_id, "nth": number}
    connection.execute(_END_ATTEMPT, {**attempt, "ended_at": now, "outcome": outcome, "detail": detail})

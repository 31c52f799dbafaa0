"""The life of a survey, one transaction a step; `surveys.states` says which steps there are."""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, or_, select, text, update

from ledger.accounts import NOT_PAUSED
from ledger.entries import Entry, Refusal, read, to_columns, to_entry
from ledger.limits import FOREVER, NEVER, lock, reserve
from ledger.notices import Notice, give
from ledger.tables import accounts, attempts, surveys
from surveys.customers import Recipient
from surveys.limits import DAY, Limits
from surveys.states import State, leading_to
from surveys.survey import Origin, Receipt, Survey

CLAIM = timedelta(seconds=12)
"""For how long one instance has a survey to itself before it begins to send it."""

ATTEMPT = timedelta(seconds=40)
"""For how long an attempt may take: a call to X, and writing its outcome to a busy ledger."""

SETTLING = DAY + timedelta(minutes=10)
"""After this, X's own record tells what became of an attempt: it shows nothing younger than 24 hours."""

ASKING_AGAIN = timedelta(minutes=10)
"""How long until X is asked once more what became of an attempt."""

REPLACED = Refusal(reason="SentAgain", advice="You sent this survey again.", editable=False)

RESPONSE_URL_LIFETIME = timedelta(minutes=30)
"""Slack's own limit."""


# statements on the way of a submission are built once: that is most of what SQLAlchemy costs
_EARLIER = select(surveys).where(surveys.c.view_id == bindparam("view_id"))
_INSERT = insert(surveys).returning(surveys)


class Acceptance(NamedTuple):
    """What became of a submission."""

    entry: Entry
    is_new: bool
    """Whether this submission was the first of its form; another one has no effect."""


class Submission(NamedTuple):
    """A form that was submitted, with all that accepting it takes."""

    view_id: str
    survey: Survey
    origin: Origin
    account: str
    instance: str
    recipient_key: str | None
    """Empty while X was not asked yet who the recipient is."""


def accept(connection: Connection, submission: Submission, limits: Limits, now: datetime) -> Acceptance:
    """Keep a submitted survey, claimed by its instance; of a form that was accepted before, what it was.

    Raises `Denied` where a limit stands in the way.
    """
    lock(connection, submission.account)
    if row := connection.execute(_EARLIER, {"view_id": submission.view_id}).first():
        return Acceptance(to_entry(row), is_new=False)
    recipient = submission.survey.recipient
    reserve(connection, submission.account, submission.recipient_key, recipient, limits, now)
    row = connection.execute(_INSERT, _columns(submission, now)).one()
    return Acceptance(to_entry(row), is_new=True)


def _columns(submission: Submission, now: datetime) -> dict[str, Any]:
    return {
        **to_columns(submission.survey, submission.origin),
        "view_id": submission.view_id,
        "state": State.ACCEPTED,
        "account": submission.account,
        "recipient_key": submission.recipient_key,
        "counts_until": FOREVER,
        "accepted_at": now,
        "due_at": now,
        "lease_owner": submission.instance,
        "lease_until": now + CLAIM,
        "tries": 0,
    }


def release(connection: Connection, survey_id: int, instance: str) -> None:
    """Leave a survey that was claimed and not begun to whoever comes next."""
    mine = (surveys.c.id == survey_id, surveys.c.state == State.ACCEPTED, surveys.c.lease_owner == instance)
    connection.execute(update(surveys).where(*mine).values(lease_owner=None, lease_until=None))


def claim(connection: Connection, instance: str, now: datetime, most: int) -> list[Entry]:
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
    return [to_entry(row) for row in claimed]


def resolve(
    connection: Connection, entry: Entry, recipient: Recipient, key: str, limits: Limits, now: datetime
) -> Entry:
    """Keep what X said of the recipient; raises `Denied` where they were asked in the meantime."""
    lock(connection, entry.account)
    reserve(connection, entry.account, key, recipient, limits.model_copy(update={"daily": sys.maxsize}), now)
    values = {"recipient_handle": recipient.handle, "recipient_id": recipient.id, "recipient_key": key}
    still = (surveys.c.id == entry.id, surveys.c.state == State.ACCEPTED)
    connection.execute(update(surveys).where(*still).values(**values))
    return entry.model_copy(update={"survey": entry.survey.to(recipient)})


def begin(connection: Connection, entry: Entry, instance: str, now: datetime) -> int | None:
    """Commit that an attempt begins, before it leaves; `None` when the survey is no longer ours to send."""
    number = entry.tries + 1
    ours = (surveys.c.lease_owner == instance, NOT_PAUSED)
    if not _move(connection, entry.id, State.SENDING, *ours, tries=number, lease_until=now + ATTEMPT):
        return None
    connection.execute(
        insert(attempts).values(survey_id=entry.id, number=number, instance=instance, started_at=now)
    )
    return number


def sent(connection: Connection, survey_id: int, number: int, receipt: Receipt, now: datetime) -> bool:
    """Note X's receipt; a late one settles what had become uncertain."""
    _end(connection, survey_id, number, State.SENT, "", now)
    moved = _move(
        connection,
        survey_id,
        State.SENT,
        feedback_id=receipt.id,
        sent_at=receipt.created_at,
        counts_until=receipt.created_at + DAY,
        settle_at=None,
    )
    if moved:
        give(connection, survey_id, Notice.SENT, now)
    return moved


def refuse(
    connection: Connection, survey_id: int, number: int | None, refusal: Refusal, detail: str, now: datetime
) -> bool:
    """Note that a survey will not be sent; `number` is empty where no attempt was made."""
    if number is not None:
        _end(connection, survey_id, number, State.REFUSED, detail, now)
    values = refusal.model_dump() | {"counts_until": NEVER, "settle_at": None}
    moved = _move(connection, survey_id, State.REFUSED, **values)
    if moved:
        give(connection, survey_id, Notice.REFUSED, now)
    return moved


def doubt(connection: Connection, survey_id: int, number: int, detail: str, now: datetime) -> bool:
    """Note that nobody knows what became of an attempt."""
    _end(connection, survey_id, number, State.UNCERTAIN, detail, now)
    moved = _move(
        connection, survey_id, State.UNCERTAIN, sent_at=now, counts_until=now + DAY, settle_at=now + SETTLING
    )
    if moved:
        give(connection, survey_id, Notice.UNCERTAIN, now)
    return moved


def wait(
    connection: Connection, survey_id: int, number: int | None, until: datetime, detail: str, now: datetime
) -> bool:
    """Put a survey back until `until`, if it is still to be sent; `number` is empty without an attempt."""
    values = {"due_at": until, "lease_owner": None, "lease_until": None}
    if number is not None:
        _end(connection, survey_id, number, State.ACCEPTED, detail, now)
        return _move(connection, survey_id, State.ACCEPTED, **values)
    still = (surveys.c.id == survey_id, surveys.c.state == State.ACCEPTED)
    waiting = update(surveys).where(*still).values(**values, tries=surveys.c.tries + 1)
    return connection.execute(waiting).rowcount == 1


def cancel(connection: Connection, survey_id: int, requester: str) -> State | None:
    """Cancel a waiting survey; returns where it stands now, or `None` where it is not this requester's."""
    _move(connection, survey_id, State.CANCELLED, surveys.c.requester == requester, counts_until=NEVER)
    return _state_for(connection, survey_id, requester)


def _state_for(connection: Connection, survey_id: int, requester: str) -> State | None:
    entry = read(connection, survey_id)
    return entry.state if entry and entry.origin.requester == requester else None


def abandon(connection: Connection, now: datetime) -> list[int]:
    """Declare uncertain what an instance that is gone had begun to send; returns the surveys' ids."""
    orphans: Sequence[Any] = connection.execute(
        select(surveys.c.id, surveys.c.tries)
        .where(surveys.c.state == State.SENDING, surveys.c.lease_until < now)
        .with_for_update(skip_locked=True)
    ).all()
    for survey_id, number in orphans:
        doubt(connection, survey_id, number, "the instance that sent it is gone", now)
    return [survey_id for survey_id, _ in orphans]


def overdue(connection: Connection, accepted_before: datetime, most: int) -> list[tuple[Entry, Refusal]]:
    """Return surveys that have waited too long for a paused account, with the cause of that."""
    late = (surveys.c.state == State.ACCEPTED, surveys.c.accepted_at < accepted_before)
    paused = select(surveys, accounts.c.cause, accounts.c.advice.label("account_advice")).join(
        accounts, accounts.c.id == surveys.c.account
    )
    rows = connection.execute(paused.where(*late, accounts.c.paused_at.is_not(None)).limit(most))
    return [
        (to_entry(row), Refusal(reason=row.cause, advice=row.account_advice, editable=False)) for row in rows
    ]


class Unsettled(NamedTuple):
    """A survey whose last attempt has an unknown outcome."""

    entry: Entry
    number: int
    begun: datetime


def claim_unsettled(connection: Connection, now: datetime, most: int) -> list[Unsettled]:
    """Claim uncertain surveys that X can tell of by now; where it does not, they are claimed again later."""
    begun = select(surveys, attempts.c.number, attempts.c.started_at).join(
        attempts, (attempts.c.survey_id == surveys.c.id) & (attempts.c.number == surveys.c.tries)
    )
    due = (surveys.c.settle_at <= now, surveys.c.state == State.UNCERTAIN)
    rows = connection.execute(
        begun.where(*due).limit(most).with_for_update(of=surveys, skip_locked=True)
    ).all()
    again = {"settle_at": now + ASKING_AGAIN}
    for row in rows:
        connection.execute(update(surveys).where(surveys.c.id == row.id).values(**again))
    return [Unsettled(to_entry(row), row.number, row.started_at) for row in rows]


def confirm(connection: Connection, survey_id: int, requester: str, now: datetime) -> bool:
    """Settle an uncertain survey as sent, as its requester says; whether that settled it."""
    theirs = (surveys.c.requester == requester, surveys.c.state == State.UNCERTAIN)
    moved = _move(connection, survey_id, State.SENT, *theirs, settle_at=None)
    if moved:
        give(connection, survey_id, Notice.SENT, now)
    return moved


def send_again(
    connection: Connection, survey_id: int, requester: str, instance: str, limits: Limits, now: datetime
) -> Entry | None:
    """Give an uncertain survey up and accept it anew, as its requester says; `None` where it is settled.

    Raises `Denied` where a limit stands in the way; then nothing changes.
    """
    entry = read(connection, survey_id)
    theirs = (surveys.c.requester == requester, surveys.c.state == State.UNCERTAIN)
    values = REPLACED.model_dump() | {"counts_until": NEVER, "settle_at": None}
    if entry is None or not _move(connection, survey_id, State.REFUSED, *theirs, **values):
        return None
    key = connection.execute(select(surveys.c.recipient_key).where(surveys.c.id == survey_id)).scalar_one()
    submission = Submission(f"again:{survey_id}", entry.survey, entry.origin, entry.account, instance, key)
    return accept(connection, submission, limits, now).entry


def forget_response_urls(connection: Connection, now: datetime) -> None:
    """Erase each `response_url` that Slack no longer answers."""
    dead = (surveys.c.received_at < now - RESPONSE_URL_LIFETIME, text("response_url <> ''"))
    connection.execute(update(surveys).where(*dead).values(response_url=""))


def _move(connection: Connection, survey_id: int, state: State, *conditions: Any, **values: Any) -> bool:  # noqa: ANN401
    """Move a survey to a state that can follow the one it is in; whether it was moved."""
    possible = (surveys.c.id == survey_id, surveys.c.state.in_(leading_to(state)), *conditions)
    return connection.execute(update(surveys).where(*possible).values(state=state, **values)).rowcount == 1


def _end(
    connection: Connection, survey_id: int, number: int, outcome: State, detail: str, now: datetime
) -> None:
    this = (attempts.c.survey_id == survey_id, attempts.c.number == number)
    connection.execute(update(attempts).where(*this).values(ended_at=now, outcome=outcome, detail=detail))

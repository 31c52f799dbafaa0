"""The limits per recipient and per account, checked in the transaction that accepts a survey.

The account's row is locked while its surveys are counted (on SQLite the transaction has begun IMMEDIATE), so
that concurrent submissions can't exceed a limit together.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, not_, or_, select

from csat.db.idempotent_inserts import insert_if_absent
from csat.db.survey_records import SENT_AGAIN
from csat.db.survey_transitions import has_state
from csat.db.tables import accounts, surveys
from csat.surveys.limits import (
    Denial,
    DenialReason,
    Denied,
    Limits,
    PreviousSurvey,
    check_recipient,
    find_denial,
)
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.survey import Survey
from csat.surveys.transports import TransportName

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
"""`quota_until` of a pending survey, which always counts."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""`quota_until` of a survey that X did not get."""

PENDING = (State.ACCEPTED, State.SENDING)
MAX_PREVIOUS = 20

# built once, as building a statement costs more than running it
_OF_ACCOUNT = surveys.c.account == bindparam("account")
_LOCK = select(accounts.c.id).where(accounts.c.id == bindparam("account")).with_for_update()
_QUOTA_ENDS = (
    select(surveys.c.quota_until)
    .where(
        _OF_ACCOUNT, surveys.c.quota_until > bindparam("now"), surveys.c.transport == bindparam("transport")
    )
    .order_by(surveys.c.quota_until)
    .offset(bindparam("skip"))
    .limit(1)
)
_PREVIOUS = (
    select(surveys)
    .where(_OF_ACCOUNT, surveys.c.recipient_key == bindparam("key"))
    .order_by(surveys.c.id.desc())
    .limit(MAX_PREVIOUS)
)
_COUNTS = or_(
    has_state(*PENDING),
    and_(surveys.c.sent_at > bindparam("since"), not_(has_state(State.REFUSED, State.CANCELLED))),
)
_COUNTED = _PREVIOUS.where(surveys.c.id != bindparam("other_than"), _COUNTS)
_COUNTED_BY_HANDLE = (
    select(surveys)
    .where(_OF_ACCOUNT, func.lower(surveys.c.recipient_handle) == bindparam("handle"), _COUNTS)
    .order_by(surveys.c.id.desc())
    .limit(MAX_PREVIOUS)
)


def lock_account(connection: Connection, account: str) -> None:
    """Lock an account until the transaction ends; on SQLite nothing else can write anyway."""
    if connection.dialect.name == "sqlite":
        return
    if connection.execute(_LOCK, {"account": account}).first() is None:
        insert_if_absent(connection, accounts, id=account)
        connection.execute(_LOCK, {"account": account})


def check_limits(
    connection: Connection, account: str, key: str | None, survey: Survey, limits: Limits, now: datetime
) -> None:
    """Raise `Denied` if a limit denies one more survey; the account must be locked.

    Without a key, because X has not resolved the recipient yet, only the account's quota is checked.
    """
    check_quota(connection, account, survey.transport, limits, now)
    if key is not None:
        check_previous(connection, account, key, survey.recipient, limits, now)


def check_quota(
    connection: Connection, account: str, transport: TransportName, limits: Limits, now: datetime
) -> None:
    """Raise `Denied` if an account's daily quota by a transport is used up by sent and pending surveys."""
    parameters = {"account": account, "now": now, "transport": transport}
    if connection.execute(_QUOTA_ENDS, {**parameters, "skip": limits.daily[transport] - 1}).first():
        first_end = connection.execute(_QUOTA_ENDS, {**parameters, "skip": 0}).scalar_one()
        raise Denied(Denial(reason=DenialReason.QUOTA, retry_at=first_end if first_end < FOREVER else None))


def check_previous(
    connection: Connection,
    account: str,
    key: str,
    recipient: Recipient,
    limits: Limits,
    now: datetime,
    *,
    other_than: int = 0,
) -> None:
    """Raise `Denied` if the previous surveys to a recipient deny another one; the account must be locked.

    The survey with the id `other_than`, which is to be sent, does not count.
    """
    counted = list_counted(connection, account, key, now - limits.lookback, other_than=other_than)
    check_recipient(recipient, counted, limits, now)


def list_counted(
    connection: Connection, account: str, key: str, since: datetime, *, other_than: int = 0
) -> list[PreviousSurvey]:
    """Return the surveys to a recipient that are pending or were sent after `since`, the newest first."""
    parameters = {"account": account, "key": key, "since": since, "other_than": other_than}
    return [_to_previous(row) for row in connection.execute(_COUNTED, parameters)]


def find_known_denial(
    connection: Connection, account: str, key: str | None, recipient: Recipient, limits: Limits, now: datetime
) -> Denial | None:
    """Return why the surveys on file deny a recipient another one, if they do.

    Without a key, because X was not asked for the recipient's id, they are found by the handle.
    """
    since = now - limits.lookback
    if key is not None:
        return find_denial(recipient, list_counted(connection, account, key, since), limits, now)
    parameters = {"account": account, "handle": str(recipient.handle).lower(), "since": since}
    rows = connection.execute(_COUNTED_BY_HANDLE, parameters)
    return find_denial(recipient, [_to_previous(row) for row in rows], limits, now)


def list_previous(connection: Connection, account: str, key: str) -> list[PreviousSurvey]:
    """Return the latest surveys to a recipient in any state, the newest first."""
    return [_to_previous(row) for row in connection.execute(_PREVIOUS, {"account": account, "key": key})]


def _to_previous(row: Row[Any]) -> PreviousSurvey:
    is_refused = row.state == State.REFUSED
    return PreviousSurvey(
        survey_id=row.id,
        state=row.state,
        asked_at=row.accepted_at,
        sent_at=None if row.state in PENDING else row.sent_at,
        test=row.test,
        transport=row.transport,
        team=row.team,
        requester=row.requester,
        channel=row.channel,
        thread=row.thread,
        reason=(row.reason or "") if is_refused else "",
        advice=(row.advice or "") if is_refused else "",
        is_replaced=is_refused and row.reason == SENT_AGAIN.reason,
        is_disowned=row.disowned_at is not None,
    )

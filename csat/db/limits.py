"""Reservations: who was asked when, and what an account has left; exact under concurrency.

Whatever counts an account's surveys locks the account's row first (on SQLite it has begun IMMEDIATE), so that
of any number of submissions at the same instant no more are accepted than the limits allow.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, or_, select

from csat.db.tables import accounts, surveys
from csat.surveys.limits import Denial, DenialReason, Denied, Limits, PreviousSurvey, check_recipient
from csat.surveys.recipients import Recipient
from csat.surveys.states import State

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
"""What is not sent yet always counts."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

PENDING = (State.ACCEPTED, State.SENDING)
_NOT_SENT = (State.REFUSED, State.CANCELLED)
MAX_PREVIOUS = 20

# built once, as that is most of what SQLAlchemy costs
_OF_ACCOUNT = surveys.c.account == bindparam("account")
_QUOTA_ENDS = (
    select(surveys.c.quota_until)
    .where(_OF_ACCOUNT, surveys.c.quota_until > bindparam("now"))
    .order_by(surveys.c.quota_until)
    .offset(bindparam("earlier"))
    .limit(1)
)
_PREVIOUS = (
    select(surveys)
    .where(_OF_ACCOUNT, surveys.c.recipient_key == bindparam("key"))
    .order_by(surveys.c.id.desc())
    .limit(MAX_PREVIOUS)
)
_COUNTED = _PREVIOUS.where(
    or_(
        surveys.c.state.in_(PENDING),
        and_(surveys.c.sent_at > bindparam("since"), surveys.c.state.not_in(_NOT_SENT)),
    )
)


def make_recipient_key(secret: bytes, recipient_id: str) -> str:
    """Return a keyed hash by which a customer is known again, also when all else of them was erased."""
    return hmac.digest(secret, recipient_id.encode(), hashlib.sha256).hex()[:32]


def lock_account(connection: Connection, account: str) -> None:
    """Let nobody else count an account's surveys until the transaction ends; on SQLite nobody else writes."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(accounts.c.id).where(accounts.c.id == account).with_for_update())


def check_limits(
    connection: Connection, account: str, key: str | None, recipient: Recipient, limits: Limits, now: datetime
) -> None:
    """Raise `Denied` where one more survey to a recipient is too much; the account must be locked.

    A recipient without a key is not known to X yet: only the account's own limit is asked.
    """
    check_quota(connection, account, limits, now)
    if key is not None:
        check_recipient(recipient, list_counted(connection, account, key, now - limits.lookback), limits, now)


def check_quota(connection: Connection, account: str, limits: Limits, now: datetime) -> None:
    """Raise `Denied` where an account has sent, or is about to send, all that X allows in a day."""
    counting = {"account": account, "now": now}
    if connection.execute(_QUOTA_ENDS, {**counting, "earlier": limits.daily - 1}).first():
        first_end = connection.execute(_QUOTA_ENDS, {**counting, "earlier": 0}).scalar_one()
        raise Denied(Denial(reason=DenialReason.QUOTA, retry_at=first_end if first_end < FOREVER else None))


def list_counted(connection: Connection, account: str, key: str, since: datetime) -> list[PreviousSurvey]:
    """Return the surveys to a recipient that are under way or were sent after `since`, newest first."""
    rows = connection.execute(_COUNTED, {"account": account, "key": key, "since": since})
    return [_to_previous(row) for row in rows]


def list_previous(connection: Connection, account: str, key: str) -> list[PreviousSurvey]:
    """Return the last surveys to a recipient, whatever became of them, newest first."""
    return [_to_previous(row) for row in connection.execute(_PREVIOUS, {"account": account, "key": key})]


def _to_previous(row: Row[Any]) -> PreviousSurvey:
    return PreviousSurvey(
        survey_id=row.id,
        state=row.state,
        sent_at=None if row.state in PENDING else row.sent_at,
        test=row.test,
        requester=row.requester,
        channel=row.channel,
        thread=row.thread,
    )

"""The limits per recipient and per account, checked in the transaction that accepts a survey.

The account's row is locked while its surveys are counted (on SQLite the transaction has begun IMMEDIATE), so
that concurrent submissions can't exceed a limit together.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, not_, or_, select

from csat.db.idempotent_inserts import insert_if_absent
from csat.db.survey_records import SENT_AGAIN, find_replaced, get_view_id, list_preceding
from csat.db.survey_transitions import has_state
from csat.db.tables import accounts, surveys
from csat.surveys.limits import (
    Denial,
    DenialReason,
    Denied,
    Limits,
    PreviousSurvey,
    find_denial,
)
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.transports import TransportName

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
"""`quota_until` of a pending survey, which always counts."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""`quota_until` of a survey that X did not get, or that was sent again."""

PENDING = (State.ACCEPTED, State.SENDING)
MAX_PREVIOUS = 20

# built once, as building a statement costs more than running it
_OF_ACCOUNT = surveys.c.account == bindparam("account")
_LOCK = select(accounts.c.id).where(accounts.c.id == bindparam("account")).with_for_update()
QUOTA_ENDS = (
    select(surveys.c.quota_until)
    .where(
        _OF_ACCOUNT, surveys.c.quota_until > bindparam("now"), surveys.c.transport == bindparam("transport")
    )
    .order_by(surveys.c.quota_until.desc())
    .offset(bindparam("skip"))
    .limit(1)
)
_HAS_HANDLE = func.lower(surveys.c.recipient_handle) == bindparam("handle")
_MAY_HAVE_ARRIVED = or_(
    not_(has_state(State.REFUSED, State.CANCELLED)), surveys.c.reason == SENT_AGAIN.reason
)
_COUNTS = or_(has_state(*PENDING), and_(surveys.c.sent_at > bindparam("since"), _MAY_HAVE_ARRIVED))
_COLUMNS = surveys.c[
    "id",
    "state",
    "accepted_at",
    "sent_at",
    "test",
    "transport",
    "team",
    "requester",
    "channel",
    "thread",
    "reason",
    "advice",
    "view_id",
    "disowned_at",
]
_LATEST = select(*_COLUMNS).where(_OF_ACCOUNT).order_by(surveys.c.id.desc()).limit(MAX_PREVIOUS)
_PREVIOUS = _LATEST.where(surveys.c.recipient_key == bindparam("key"))
COUNTED = _PREVIOUS.where(surveys.c.id != bindparam("other_than"), _COUNTS)
COUNTED_BY_HANDLE = _LATEST.where(_HAS_HANDLE, _COUNTS)
_UNRESOLVED = select(*_COLUMNS).where(
    _OF_ACCOUNT, _HAS_HANDLE, surveys.c.recipient_key.is_(None), surveys.c.state == State.ACCEPTED
)
"""Surveys that wait for X to say whose handle it is."""


def lock_account(connection: Connection, account: str) -> None:
    """Lock an account until the transaction ends; on SQLite nothing else can write anyway."""
    if connection.dialect.name == "sqlite":
        return
    if connection.execute(_LOCK, {"account": account}).first() is None:
        insert_if_absent(connection, accounts, id=account)
        connection.execute(_LOCK, {"account": account})


def find_quota_denial(
    connection: Connection, account: str, transport: TransportName, limits: Limits, now: datetime
) -> Denial | None:
    """Return the denial if sent and pending surveys use up an account's daily quota by a transport."""
    parameters = quota_parameters(account, transport, limits, now)
    freed_at = connection.execute(QUOTA_ENDS, parameters).scalar()
    if freed_at is None:
        return None
    retry_at = freed_at if freed_at < FOREVER else None
    return Denial(reason=DenialReason.QUOTA, transport=transport, retry_at=retry_at)


def quota_parameters(
    account: str, transport: TransportName, limits: Limits, now: datetime
) -> dict[str, object]:
    """Return the parameters of `QUOTA_ENDS`."""
    return {"account": account, "transport": transport, "now": now, "skip": limits.daily[transport] - 1}


def check_resolved(
    connection: Connection,
    account: str,
    key: str,
    recipient: Recipient,
    limits: Limits,
    now: datetime,
    survey_id: int,
) -> None:
    """Raise `Denied` if others to its recipient deny a resolved survey; the account must be locked.

    Others that still wait by their handle don't count, or two could deny each other.
    """
    parameters = {"account": account, "key": key, "since": now - limits.lookback, "other_than": survey_id}
    previous = _list(connection, COUNTED, parameters)
    counted = _leave_out_replaced(connection, previous, get_view_id(connection, survey_id))
    if denial := find_denial(recipient, counted, limits, now):
        raise Denied(denial)


def find_known_denial(
    connection: Connection,
    account: str,
    key: str | None,
    recipient: Recipient,
    limits: Limits,
    now: datetime,
    view_id: str = "",
) -> Denial | None:
    """Return why the surveys on file deny a recipient another one, with this view id, if they do.

    Without a key, because X was not asked for the recipient's id, they are found by the handle.
    """
    parameters = {"account": account, "since": now - limits.lookback}
    if key is None:
        by_handle = {**parameters, "handle": _lower(recipient)}
        previous = _list(connection, COUNTED_BY_HANDLE, by_handle)
    else:
        by_key = {**parameters, "key": key, "other_than": 0}
        previous = [*_list_unresolved(connection, account, recipient), *_list(connection, COUNTED, by_key)]
    return find_denial(recipient, _leave_out_replaced(connection, previous, view_id), limits, now)


def list_previous(
    connection: Connection, account: str, key: str, recipient: Recipient
) -> list[PreviousSurvey]:
    """Return the latest surveys to a recipient in any state, the newest first."""
    previous = [
        *_list_unresolved(connection, account, recipient),
        *_list(connection, _PREVIOUS, {"account": account, "key": key}),
    ]
    return sorted(previous, key=lambda survey: survey.survey_id, reverse=True)


def _leave_out_replaced(
    connection: Connection, previous: Sequence[PreviousSurvey], view_id: str
) -> list[PreviousSurvey]:
    """Leave out the surveys that the one with this view id replaces, as they were sent again.

    Its requester has decided to send it though they may have arrived.
    """
    preceding = list_preceding(connection, view_id)
    return [survey for survey in previous if not (survey.is_replaced and survey.survey_id in preceding)]


def _list_unresolved(connection: Connection, account: str, recipient: Recipient) -> list[PreviousSurvey]:
    if recipient.handle is None:
        return []
    return _list(connection, _UNRESOLVED, {"account": account, "handle": _lower(recipient)})


def _list(
    connection: Connection, statement: Select[Any], parameters: Mapping[str, object]
) -> list[PreviousSurvey]:
    return [_to_previous(row) for row in connection.execute(statement, parameters)]


def _lower(recipient: Recipient) -> str:
    return str(recipient.handle).lower()


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
        replaced_id=find_replaced(row.view_id),
        is_disowned=row.disowned_at is not None,
    )

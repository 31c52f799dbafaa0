"""Opt-outs: the list of customers who are not to be asked again, with proof.

It holds keyed hashes instead of ids, and is for all X accounts. An opt-out that is lifted keeps its row.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, select, update

from csat.db import audit_log
from csat.db.audit_log import AuditAction
from csat.db.idempotent_inserts import insert_if_absent
from csat.db.limits import NEVER
from csat.db.outbox import NotificationKind, enqueue
from csat.db.survey_records import Refusal
from csat.db.survey_transitions import transition, transition_to
from csat.db.tables import opt_outs, surveys
from csat.surveys.limits import Denial, DenialReason, Denied
from csat.surveys.opt_outs import How, OptOut
from csat.surveys.states import State

IN_FORCE = opt_outs.c.lifted_at.is_(None)
NOT_OPTED_OUT = ~exists().where(opt_outs.c.recipient_key == surveys.c.recipient_key, IN_FORCE)
"""A condition on surveys: their recipient has not opted out, as far as X has resolved them."""

# built once, as building a statement costs more than running it
FIND = select(opt_outs).where(opt_outs.c.recipient_key == bindparam("key"), IN_FORCE)
_LAST_KEY_OF_HANDLE = (
    select(surveys.c.recipient_key)
    .where(
        surveys.c.account == bindparam("account"),
        func.lower(surveys.c.recipient_handle) == bindparam("handle"),
        surveys.c.recipient_key.is_not(None),
    )
    .order_by(surveys.c.id.desc())
    .limit(1)
)
FIND_BY_HANDLE = select(opt_outs).where(
    opt_outs.c.recipient_key == _LAST_KEY_OF_HANDLE.scalar_subquery(), IN_FORCE
)
_KEY_OF_SURVEY = select(surveys.c.recipient_key).where(surveys.c.id == bindparam("survey_id"))
_FIND_OF_SURVEY = select(opt_outs.c.id).where(
    opt_outs.c.recipient_key == _KEY_OF_SURVEY.scalar_subquery(), IN_FORCE
)
_WAITING = (
    select(surveys.c.id)
    .where(surveys.c.state == State.ACCEPTED, surveys.c.recipient_key == bindparam("key"))
    .with_for_update(skip_locked=True)
)
_REFUSED = transition_to(State.REFUSED)


def record(
    connection: Connection,
    recipient_key: str,
    *,
    how: How,
    team: str,
    by: str,
    reason: str,
    now: datetime,
    since: datetime | None = None,
) -> bool:
    """Record an opt-out, and refuse the customer's surveys that wait; return False if it is in force already.

    Args:
        connection: of a transaction.
        recipient_key: the keyed hash of the customer's id; see `csat.db.recipient_keys`.
        how: where the wish comes from.
        team: the workspace of `by`, or "".
        by: the user who records it; "" if the customer does.
        reason: at most `MAX_REASON_LENGTH` characters, or "".
        now: the current time.
        since: when the customer said so, if that is known to be earlier.
    """
    values = {"recorded_at": since or now, "how": how, "team": team, "recorded_by": by, "reason": reason}
    if not insert_if_absent(connection, opt_outs, recipient_key=recipient_key, **values):
        return False
    audit_log.record(connection, team, by or how, AuditAction.OPT_OUT, recipient_key, now)
    refusal = Refusal.from_denial(Denial(reason=DenialReason.OPTED_OUT))
    for survey_id in connection.execute(_WAITING, {"key": recipient_key}).scalars().all():
        transition(connection, _REFUSED, survey_id, **refusal.model_dump(), quota_until=NEVER)
        enqueue(connection, survey_id, NotificationKind.REFUSED, now)
    return True


def lift(
    connection: Connection, recipient_key: str, *, team: str, by: str, reason: str, now: datetime
) -> bool:
    """Lift an opt-out, and keep its row; return False if none is in force."""
    values = {"lifted_at": now, "lifted_team": team, "lifted_by": by, "lift_reason": reason}
    lifted = update(opt_outs).where(opt_outs.c.recipient_key == recipient_key, IN_FORCE).values(values)
    if connection.execute(lifted).rowcount == 0:
        return False
    audit_log.record(connection, team, by, AuditAction.LIFT_OPT_OUT, recipient_key, now)
    return True


def find(connection: Connection, recipient_key: str) -> OptOut | None:
    """Return the opt-out that is in force for a customer."""
    row = connection.execute(FIND, {"key": recipient_key}).first()
    return _to_opt_out(row) if row else None


def find_by_handle(connection: Connection, account: str, handle: str) -> OptOut | None:
    """Return the opt-out of the customer to whom the account's last survey with this handle went."""
    parameters = {"account": account, "handle": handle.lower()}
    row = connection.execute(FIND_BY_HANDLE, parameters).first()
    return _to_opt_out(row) if row else None


def is_in_force(connection: Connection, survey_id: int) -> bool:
    """Return True if a survey's customer has opted out."""
    return connection.execute(_FIND_OF_SURVEY, {"survey_id": survey_id}).first() is not None


def check(connection: Connection, recipient_key: str) -> None:
    """Raise `Denied` if a customer has opted out."""
    if opt_out := find(connection, recipient_key):
        raise Denied(Denial.from_opt_out(opt_out))


def count_known(connection: Connection, recipient_keys: Iterable[str]) -> int:
    """Return how many of these customers have opted out."""
    return sum(find(connection, key) is not None for key in recipient_keys)


def fetch_page(connection: Connection, after_id: int, limit: int) -> list[Row[Any]]:
    """Return the next rows of the list, lifted opt-outs included, in the order of recording."""
    query = select(opt_outs).where(opt_outs.c.id > after_id).order_by(opt_outs.c.id).limit(limit)
    return list(connection.execute(query))


def _to_opt_out(row: Row[Any]) -> OptOut:
    return OptOut(
        recorded_at=row.recorded_at, how=row.how, team=row.team, by=row.recorded_by, reason=row.reason
    )

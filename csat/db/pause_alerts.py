"""Alerts to operators that an account is paused: one for each operator, kept until Slack takes it.

Instances of several workspaces share an account, and each tells its own operators.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from csat.db.account_pauses import get_pause_cause
from csat.db.tables import accounts, alerted_operators, operator_alerts

CLAIM_LEASE = timedelta(minutes=1)
"""How long an alert is claimed by one instance."""


class PauseAlert(NamedTuple):
    """A claimed alert for one operator."""

    account: str
    operator: str
    cause: str
    attempts: int


def claim(
    connection: Connection, account: str, operators: Collection[str], now: datetime
) -> list[PauseAlert]:
    """Claim the alerts of an account that are due; those of a pause that has ended are deleted."""
    cause = get_pause_cause(connection, account)
    if not cause:
        connection.execute(delete(operator_alerts).where(operator_alerts.c.account == account))
        return []
    if alerted_at := _begin_alert(connection, account, now):
        _enqueue_for_each(connection, account, operators, alerted_at, now)
    claimed = (
        update(operator_alerts)
        .where(
            operator_alerts.c.account == account,
            operator_alerts.c.operator.in_(operators),
            operator_alerts.c.due_at <= now,
        )
        .values(due_at=now + CLAIM_LEASE)
        .returning(operator_alerts.c.operator, operator_alerts.c.attempts)
    )
    return [PauseAlert(account, row.operator, cause, row.attempts) for row in connection.execute(claimed)]


def reschedule(connection: Connection, alert: PauseAlert, due_at: datetime) -> None:
    """Put an alert back until `due_at`."""
    values = {"due_at": due_at, "attempts": alert.attempts + 1}
    connection.execute(update(operator_alerts).where(*_key(alert)).values(values))


def remove(connection: Connection, alert: PauseAlert) -> None:
    """Delete an alert that was posted, or is given up."""
    connection.execute(delete(operator_alerts).where(*_key(alert)))


def _begin_alert(connection: Connection, account: str, now: datetime) -> datetime | None:
    """Lock an account, and return when its operators were last to be alerted: now if an alert is due."""
    row = connection.execute(select(accounts).where(accounts.c.id == account).with_for_update()).one()
    alerted_at: datetime | None = row.alerted_at
    if row.alert_due_at and row.alert_due_at <= now:
        alerted_at = now
        begun = {"alert_due_at": None, "alerted_at": alerted_at}
        connection.execute(update(accounts).where(accounts.c.id == account).values(begun))
    return alerted_at


def _enqueue_for_each(
    connection: Connection, account: str, operators: Collection[str], alerted_at: datetime, now: datetime
) -> None:
    """Enqueue an alert to each of these operators for whom there was none yet, instead of an earlier one."""
    told = select(alerted_operators.c.operator).where(
        alerted_operators.c.account == account, alerted_operators.c.alerted_at == alerted_at
    )
    for operator in {*operators}.difference(connection.execute(told).scalars()):
        for table, values in (
            (alerted_operators, {"alerted_at": alerted_at}),
            (operator_alerts, {"due_at": now, "attempts": 0}),
        ):
            key = {"account": account, "operator": operator}
            connection.execute(delete(table).filter_by(**key))
            connection.execute(insert(table).values(**key, **values))


def _key(alert: PauseAlert) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return operator_alerts.c.account == alert.account, operator_alerts.c.operator == alert.operator

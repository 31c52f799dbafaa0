"""Alerts to operators that an account is paused: one for each operator, kept until Slack takes it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from csat.db.account_pauses import get_pause_cause
from csat.db.tables import accounts, operator_alerts

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
    _enqueue_for_each(connection, account, operators, now)
    claimed = (
        update(operator_alerts)
        .where(operator_alerts.c.account == account, operator_alerts.c.due_at <= now)
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


def _enqueue_for_each(
    connection: Connection, account: str, operators: Collection[str], now: datetime
) -> None:
    """Replace the alerts of a paused account if `account_pauses.pause` has enqueued a new one."""
    is_due = (accounts.c.id == account, accounts.c.alert_due_at <= now)
    if not connection.execute(select(accounts.c.id).where(*is_due).with_for_update()).first():
        return
    connection.execute(
        update(accounts).where(accounts.c.id == account).values(alert_due_at=None, alerted_at=now)
    )
    connection.execute(delete(operator_alerts).where(operator_alerts.c.account == account))
    if operators:
        row = {"account": account, "due_at": now, "attempts": 0}
        connection.execute(insert(operator_alerts), [{**row, "operator": person} for person in operators])


def _key(alert: PauseAlert) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return operator_alerts.c.account == alert.account, operator_alerts.c.operator == alert.operator

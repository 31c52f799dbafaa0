"""Alerts to operators that an account is paused: one for each operator, kept until Slack takes it.

Where it was posted is kept until the outage is over, and the alert says so. Instances of several workspaces
share an account, and each tells its own operators.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Table, delete, insert, select, update

from csat.db.account_pauses import Recovery, find_recovery, get_pause_cause
from csat.db.idempotent_inserts import insert_if_absent
from csat.db.tables import accounts, alerted_operators, operator_alerts, posted_alerts

CLAIM_LEASE = timedelta(minutes=1)
"""How long an alert is claimed by one instance."""


class PauseAlert(NamedTuple):
    """A claimed alert for one operator: to be posted, or to be updated as the outage is over."""

    account: str
    operator: str
    cause: str
    attempts: int
    channel: str = ""
    ts: str = ""
    recovery: Recovery | None = None


def claim(
    connection: Connection,
    account: str,
    operators: Collection[str],
    partial_causes: Collection[str],
    now: datetime,
) -> list[PauseAlert]:
    """Claim the alerts of an account that are due; those of a pause that has ended are deleted.

    Once an outage is over (see `find_recovery`), claim those that were posted, to be updated.
    """
    cause = get_pause_cause(connection, account)
    if not cause:
        connection.execute(delete(operator_alerts).where(operator_alerts.c.account == account))
        return _claim_posted(connection, account, operators, partial_causes, now)
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


def mark_posted(connection: Connection, alert: PauseAlert, channel: str, ts: str, now: datetime) -> None:
    """Delete an alert that was posted, and store where, unless Slack did not say it."""
    remove(connection, alert)
    if ts:
        key = {"account": alert.account, "operator": alert.operator, "ts": ts}
        values = {"channel": channel, "cause": alert.cause, "due_at": now, "attempts": 0}
        insert_if_absent(connection, posted_alerts, **key, **values)


def reschedule(connection: Connection, alert: PauseAlert, due_at: datetime) -> None:
    """Put an alert back until `due_at`."""
    table, key = _find_row(alert)
    values = {"due_at": due_at, "attempts": alert.attempts + 1}
    connection.execute(update(table).filter_by(**key).values(values))


def remove(connection: Connection, alert: PauseAlert) -> None:
    """Delete an alert that was updated, or is given up."""
    table, key = _find_row(alert)
    connection.execute(delete(table).filter_by(**key))


def _claim_posted(
    connection: Connection,
    account: str,
    operators: Collection[str],
    partial_causes: Collection[str],
    now: datetime,
) -> list[PauseAlert]:
    due = (
        posted_alerts.c.account == account,
        posted_alerts.c.operator.in_(operators),
        posted_alerts.c.due_at <= now,
    )
    if connection.execute(select(posted_alerts.c.ts).where(*due).limit(1)).first() is None:
        return []
    recovery = find_recovery(connection, account, partial_causes, now)
    if recovery is None:
        return []
    claimed = update(posted_alerts).where(*due).values(due_at=now + CLAIM_LEASE).returning(posted_alerts)
    return [
        PauseAlert(account, row.operator, row.cause, row.attempts, row.channel, row.ts, recovery)
        for row in connection.execute(claimed)
    ]


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


def _find_row(alert: PauseAlert) -> tuple[Table, dict[str, str]]:
    """Return the table that an alert was claimed from, and its key there."""
    key = {"account": alert.account, "operator": alert.operator}
    return (posted_alerts, {**key, "ts": alert.ts}) if alert.ts else (operator_alerts, key)

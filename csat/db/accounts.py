"""The accounts on X that surveys come from, and whether they may send at the moment."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select, update

from csat.db.inserts import insert_if_absent
from csat.db.tables import accounts, surveys

PROBE_INTERVAL = timedelta(minutes=5)
"""How often X is asked whether a paused account works again."""

ALERT_LEASE = timedelta(minutes=1)
"""How long one instance has an alert to itself."""

ALERT_INTERVAL = timedelta(hours=24)
"""The same cause is told again only after this."""

NOT_PAUSED: ColumnElement[bool] = ~(
    select(accounts.c.id)
    .where(accounts.c.id == surveys.c.account, accounts.c.paused_at.is_not(None))
    .exists()
)
"""For statements about surveys: their account is not paused."""


def ensure_account(connection: Connection, account: str) -> None:
    """Make sure that an account has its row: its surveys are counted under that row's lock."""
    insert_if_absent(connection, accounts, id=account)


class PauseAlert(NamedTuple):
    """What the operators are to be told about a paused account."""

    account: str
    cause: str
    advice: str


def pause(connection: Connection, account: str, cause: str, advice: str, now: datetime) -> bool:
    """Pause an account and enqueue an alert, once per cause and day; return True if one was enqueued."""
    this = accounts.c.id == account
    row = connection.execute(select(accounts).where(this).with_for_update()).one()
    is_new = row.cause != cause or row.alerted_at is None or row.alerted_at < now - ALERT_INTERVAL
    values = {
        "paused_at": row.paused_at or now,
        "probe_at": now + PROBE_INTERVAL,
        "cause": cause,
        "advice": advice,
    }
    alert = {"alerted_at": now, "alert_due_at": now} if is_new else {}
    connection.execute(update(accounts).where(this).values(**values, **alert))
    return bool(is_new)


def claim_alerts(connection: Connection, now: datetime) -> list[PauseAlert]:
    """Claim the alerts that are due, each for `ALERT_LEASE`."""
    claim = (
        update(accounts)
        .where(accounts.c.alert_due_at <= now)
        .values(alert_due_at=now + ALERT_LEASE)
        .returning(accounts.c.id, accounts.c.cause, accounts.c.advice)
    )
    return [PauseAlert(*row) for row in connection.execute(claim)]


def mark_alerted(connection: Connection, alert: PauseAlert) -> None:
    """Store that the operators were told, unless there is another cause by now."""
    this = (accounts.c.id == alert.account, accounts.c.cause == alert.cause)
    connection.execute(update(accounts).where(*this).values(alert_due_at=None))


def claim_probes(connection: Connection, now: datetime) -> list[str]:
    """Return the paused accounts that it is time to probe, each to one instance only."""
    due = (accounts.c.paused_at.is_not(None), accounts.c.probe_at <= now)
    probing = update(accounts).where(*due).values(probe_at=now + PROBE_INTERVAL).returning(accounts.c.id)
    return list(connection.execute(probing).scalars())


def resume(connection: Connection, account: str) -> None:
    """Let an account send again; the cause is kept, so that it is not told twice in a day."""
    connection.execute(update(accounts).where(accounts.c.id == account).values(paused_at=None, probe_at=None))


def get_pause_reason(connection: Connection, account: str) -> str:
    """Return why an account is paused, as the people who wait read it; "" where it is not."""
    paused = (accounts.c.id == account, accounts.c.paused_at.is_not(None))
    return connection.execute(select(accounts.c.advice).where(*paused)).scalar() or ""

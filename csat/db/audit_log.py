"""The audit log of access to results."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert

from csat.db.idempotent_inserts import insert_if_absent
from csat.db.tables import audit


class AuditAction(StrEnum):
    """The ways to access results."""

    HOME = "home"
    REPORT = "report"
    SHOW = "show"
    EXPORT = "export"


def record(
    connection: Connection, team: str, viewer: str, action: AuditAction, detail: str, now: datetime
) -> None:
    """Log that a user or a channel is about to see results; `detail` must not contain them."""
    connection.execute(insert(audit).values(at=now, team=team, viewer=viewer, action=action, detail=detail))


def record_command(
    connection: Connection,
    team: str,
    viewer: str,
    action: AuditAction,
    detail: str,
    trigger_id: str,
    now: datetime,
) -> bool:
    """Log that a user is about to see results; return False if the same command was logged before."""
    values = {"at": now, "team": team, "viewer": viewer, "action": action, "detail": detail}
    return insert_if_absent(connection, audit, **values, trigger_id=trigger_id)

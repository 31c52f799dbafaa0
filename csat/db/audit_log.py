"""The audit log: access to results, changes to opt-outs, and new secrets of links."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert

from csat.db.idempotent_inserts import insert_if_absent
from csat.db.tables import audit

OPERATOR = "operator"
"""The viewer of what is done on the command line."""


class AuditAction(StrEnum):
    """The actions that are logged."""

    HOME = "home"
    REPORT = "report"
    SHOW = "show"
    EXPORT = "export"
    OPT_OUT = "opt out"
    LIFT_OPT_OUT = "lift opt-out"
    EXPORT_OPT_OUTS = "export opt-outs"
    ROTATE_LINKS = "rotate links"


def record(
    connection: Connection, team: str, viewer: str, action: AuditAction, detail: str, now: datetime
) -> None:
    """Log an action of a user, or that a channel is about to see results; `detail` must not contain them."""
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

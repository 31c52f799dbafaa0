"""Who saw results, when, and which."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert

from csat.db.tables import audit


class AuditAction(StrEnum):
    """The ways to see results."""

    HOME = "home"
    REPORT = "report"
    SHOW = "show"
    EXPORT = "export"


def record(
    connection: Connection, team: str, viewer: str, action: AuditAction, detail: str, now: datetime
) -> None:
    """Note that somebody is about to see results; `detail` says which, and holds none of them."""
    connection.execute(insert(audit).values(at=now, team=team, viewer=viewer, action=action, detail=detail))

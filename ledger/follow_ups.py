"""Low ratings, and who takes care of them: each opened once, taken on once, and closed once."""

from datetime import datetime

from sqlalchemy import Connection, delete

from ledger.once import insert_once
from ledger.tables import follow_ups


def open_for(connection: Connection, survey_id: int, team: str, now: datetime) -> bool:
    """Note that somebody should look after a survey's low rating; whether that was new."""
    return insert_once(connection, follow_ups, survey_id=survey_id, team=team, low_at=now)


def withdraw(connection: Connection, survey_id: int) -> None:
    """Take back a low rating that turned out to be none, where nobody has taken it on."""
    untouched = (follow_ups.c.survey_id == survey_id, follow_ups.c.taken_by.is_(None))
    connection.execute(delete(follow_ups).where(*untouched, follow_ups.c.closed_by.is_(None)))

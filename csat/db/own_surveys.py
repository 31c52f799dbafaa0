"""What one person sent, and what became of it: how customers answered is not for them."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from csat.db.survey_records import SurveyRecord, to_record
from csat.db.tables import surveys
from csat.surveys.states import State


def list_by_requester(connection: Connection, team: str, requester: str, most: int) -> list[SurveyRecord]:
    """Return the surveys that somebody asked for last, newest first."""
    theirs = select(surveys).where(surveys.c.team == team, surveys.c.requester == requester)
    rows = connection.execute(theirs.order_by(surveys.c.accepted_at.desc()).limit(most))
    return [to_record(row) for row in rows]


def count_by_state(connection: Connection, team: str, requester: str, since: datetime) -> dict[State, int]:
    """Return how many of the surveys that somebody asked for since a moment are in which state."""
    theirs = (surveys.c.team == team, surveys.c.requester == requester, surveys.c.accepted_at > since)
    each = [func.count().filter(surveys.c.state == state).label(state) for state in State]
    return dict(zip(State, connection.execute(select(*each).where(*theirs)).one(), strict=True))

"""Surveys by requester, who can see their states but not the responses."""

from sqlalchemy import Connection, bindparam, select

from csat.db.survey_records import SurveyRecord, to_record
from csat.db.tables import surveys
from csat.surveys.questions import Metric

REMEMBERED = 50
"""How many surveys back a person's questions are looked up."""


# built once, as building a statement costs more than running it
_LAST_VARIANTS = (
    select(surveys.c.metric, surveys.c.variant)
    .where(surveys.c.team == bindparam("team"), surveys.c.requester == bindparam("requester"))
    .order_by(surveys.c.accepted_at.desc())
    .limit(REMEMBERED)
)


def list_by_requester(connection: Connection, team: str, requester: str, limit: int) -> list[SurveyRecord]:
    """Return the latest surveys of a requester, the newest first."""
    query = select(surveys).where(surveys.c.team == team, surveys.c.requester == requester)
    rows = connection.execute(query.order_by(surveys.c.accepted_at.desc()).limit(limit))
    return [to_record(row) for row in rows]


def find_last_variants(connection: Connection, team: str, requester: str) -> dict[Metric, str]:
    """Return the question of a requester's latest survey for each metric."""
    rows = connection.execute(_LAST_VARIANTS, {"team": team, "requester": requester}).all()
    return {Metric(metric): str(variant) for metric, variant in dict(reversed(rows)).items()}

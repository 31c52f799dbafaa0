"""The published App Homes: whether each shows results, and the query of its report.

A Home is marked as showing results before they are published and again afterwards, so that the check for lost
permissions finds every Home that can show results, whatever happens at the same time.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, select, update

from csat.db import audit_log
from csat.db.audit_log import AuditAction
from csat.db.idempotent_inserts import insert_if_absent
from csat.db.tables import homes
from csat.reporting import report_queries
from csat.reporting.home_report_choices import ReportQuery
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric


class Home(FrozenModel):
    """The App Home of a user."""

    user_id: str
    shows_results: bool
    query: ReportQuery
    published_at: datetime


class HomeRequest(NamedTuple):
    """A Home that was just marked as showing results, and whether it showed them before."""

    home: Home
    showed_results: bool

    @property
    def query(self) -> ReportQuery:
        """The query of the report."""
        return self.home.query


def list_homes(connection: Connection, team: str) -> list[Home]:
    """Return all Homes of a workspace."""
    rows = connection.execute(select(homes).where(homes.c.team == team).order_by(homes.c.user_id))
    return [_to_home(row) for row in rows]


def find_home(connection: Connection, team: str, user_id: str) -> Home | None:
    """Return the Home of a user, or `None` if it was never published."""
    row = connection.execute(select(homes).where(*_key(team, user_id))).first()
    return _to_home(row) if row else None


def request_results(
    connection: Connection,
    team: str,
    user_id: str,
    change: Callable[[ReportQuery], ReportQuery],
    now: datetime,
) -> HomeRequest:
    """Change the query of a Home, mark the Home as showing results, and log the access."""
    _insert_empty(connection, team, user_id, now)
    row = connection.execute(select(homes).where(*_key(team, user_id)).with_for_update()).one()
    before = ReportQuery.from_json(row.query, _default_metric(connection, team))
    query = change(before)
    # a query is stored once something was chosen: until then its metric follows the team's
    stored = row.query if query == before else query.model_dump_json()
    values = {"shows_results": True, "query": stored, "published_at": now}
    connection.execute(update(homes).where(*_key(team, user_id)).values(values))
    audit_log.record(connection, team, user_id, AuditAction.HOME, query.describe(), now)
    home = Home(user_id=user_id, shows_results=True, query=query, published_at=now)
    return HomeRequest(home, showed_results=row.shows_results)


def mark_results_shown(connection: Connection, team: str, user_id: str, now: datetime) -> None:
    """Mark a Home as showing results."""
    values = {"shows_results": True, "published_at": now}
    connection.execute(update(homes).where(*_key(team, user_id)).values(values))


def mark_results_hidden(
    connection: Connection, team: str, user_id: str, seen: Home | None, now: datetime
) -> bool:
    """Mark a Home as showing no results; return False if it was marked since it was `seen`."""
    if seen is None:
        return _insert_empty(connection, team, user_id, now)
    unchanged = (*_key(team, user_id), homes.c.published_at == seen.published_at)
    values = {"shows_results": False, "published_at": now}
    return connection.execute(update(homes).where(*unchanged).values(values)).rowcount == 1


def _default_metric(connection: Connection, team: str) -> Metric:
    """Return the only metric of which a team has sent surveys, else CSAT."""
    used = [metric for metric in Metric if report_queries.find_first_sent(connection, team, metric)]
    return used[0] if len(used) == 1 else Metric.CSAT


def _insert_empty(connection: Connection, team: str, user_id: str, now: datetime) -> bool:
    values = {"shows_results": False, "query": "", "published_at": now}
    return insert_if_absent(connection, homes, team=team, user_id=user_id, **values)


def _key(team: str, user_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return homes.c.team == team, homes.c.user_id == user_id


def _to_home(row: Row[Any]) -> Home:
    return Home(
        user_id=row.user_id,
        shows_results=row.shows_results,
        query=ReportQuery.from_json(row.query),
        published_at=row.published_at,
    )

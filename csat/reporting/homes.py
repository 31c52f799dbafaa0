"""Who has an App Home, whether it shows results, and what it asks for.

A Home is marked before results go to Slack and once more after, so that whoever looks whether its reader may
still see them looks at every Home in which they can be, whatever happened at the same time.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from csat.db import audit
from csat.db.audit import AuditAction
from csat.db.inserts import insert_if_absent
from csat.db.tables import homes
from csat.reporting.report_query import ReportQuery
from csat.surveys.frozen_model import FrozenModel


class Home(FrozenModel):
    """What somebody has before them when they open the app."""

    user_id: str
    shows_results: bool
    query: ReportQuery
    published_at: datetime


class HomeRequest(NamedTuple):
    """What a report is asked for, in the Home as it is marked now, and whether it showed results before."""

    home: Home
    again: bool

    @property
    def choices(self) -> ReportQuery:
        """The report's period, metric and filters."""
        return self.home.query


def list_homes(connection: Connection, team: str) -> list[Home]:
    """Return all Homes of a workspace."""
    rows = connection.execute(select(homes).where(homes.c.team == team).order_by(homes.c.user_id))
    return [_to_home(row) for row in rows]


def find_home(connection: Connection, team: str, user_id: str) -> Home | None:
    """Return somebody's Home, if they have one."""
    row = connection.execute(select(homes).where(*_key(team, user_id))).first()
    return _to_home(row) if row else None


def request_results(
    connection: Connection,
    team: str,
    user_id: str,
    change: Callable[[ReportQuery], ReportQuery],
    now: datetime,
) -> HomeRequest:
    """Keep what somebody chose, and note that they are about to see results."""
    _insert_empty(connection, team, user_id, now)
    row = connection.execute(select(homes).where(*_key(team, user_id)).with_for_update()).one()
    before = _to_home(row)
    choices = change(before.query)
    shown = {"shows_results": True, "query": choices.model_dump_json(exclude_defaults=True)}
    connection.execute(update(homes).where(*_key(team, user_id)).values(published_at=now, **shown))
    audit.record(connection, team, user_id, AuditAction.HOME, choices.describe(), now)
    return HomeRequest(
        Home(user_id=user_id, shows_results=True, query=choices, published_at=now), before.shows_results
    )


def mark_results_shown(connection: Connection, team: str, user_id: str, now: datetime) -> None:
    """Note that a Home shows results."""
    mark = {"shows_results": True, "published_at": now}
    connection.execute(update(homes).where(*_key(team, user_id)).values(mark))


def mark_results_hidden(
    connection: Connection, team: str, user_id: str, seen: Home | None, now: datetime
) -> bool:
    """Note that a Home shows no results, unless it was marked since it was `seen`; whether it was noted."""
    if seen is None:
        return _insert_empty(connection, team, user_id, now)
    unmarked = (*_key(team, user_id), homes.c.published_at == seen.published_at)
    mark = {"shows_results": False, "published_at": now}
    return connection.execute(update(homes).where(*unmarked).values(mark)).rowcount == 1


def _insert_empty(connection: Connection, team: str, user_id: str, now: datetime) -> bool:
    empty = {"shows_results": False, "query": "", "published_at": now}
    return insert_if_absent(connection, homes, team=team, user_id=user_id, **empty)


def _key(team: str, user_id: str) -> tuple[Any, ...]:
    return homes.c.team == team, homes.c.user_id == user_id


def _to_home(row: Row[Any]) -> Home:
    return Home(
        user_id=row.user_id,
        shows_results=row.shows_results,
        query=ReportQuery.from_json(row.query),
        published_at=row.published_at,
    )

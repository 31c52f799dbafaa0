"""Who has an App Home, whether it shows results, and what it asks for.

A Home is marked before results go to Slack and once more after, so that whoever looks whether its reader may
still see them looks at every Home in which they can be, whatever happened at the same time.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from csat.db import audit
from csat.db.audit import Action
from csat.db.inserts import insert_if_absent
from csat.db.tables import homes
from csat.reporting.report_query import ReportQuery
from csat.surveys.frozen_model import FrozenModel


class Home(FrozenModel):
    """What somebody has before them when they open the app."""

    person: str
    shows_results: bool
    asks: ReportQuery
    published_at: datetime


class HomeRequest(NamedTuple):
    """What a report is asked for, in the Home as it is marked now, and whether it showed results before."""

    home: Home
    again: bool

    @property
    def choices(self) -> ReportQuery:
        """The report's period, metric and filters."""
        return self.home.asks


def everybody(connection: Connection, team: str) -> list[Home]:
    """Return all Homes of a workspace."""
    rows = connection.execute(select(homes).where(homes.c.team == team).order_by(homes.c.person))
    return [_to_home(row) for row in rows]


def find(connection: Connection, team: str, person: str) -> Home | None:
    """Return somebody's Home, if they have one."""
    row = connection.execute(select(homes).where(*_same(team, person))).first()
    return _to_home(row) if row else None


def ask(
    connection: Connection,
    team: str,
    person: str,
    change: Callable[[ReportQuery], ReportQuery],
    now: datetime,
) -> HomeRequest:
    """Keep what somebody chose, and note that they are about to see results."""
    _open(connection, team, person, now)
    row = connection.execute(select(homes).where(*_same(team, person)).with_for_update()).one()
    before = _to_home(row)
    choices = change(before.asks)
    shown = {"shows_results": True, "asks": choices.model_dump_json(exclude_defaults=True)}
    connection.execute(update(homes).where(*_same(team, person)).values(published_at=now, **shown))
    audit.note(connection, team, person, Action.HOME, choices.in_words(), now)
    return HomeRequest(
        Home(person=person, shows_results=True, asks=choices, published_at=now), before.shows_results
    )


def shows_results(connection: Connection, team: str, person: str, now: datetime) -> None:
    """Note that a Home shows results."""
    mark = {"shows_results": True, "published_at": now}
    connection.execute(update(homes).where(*_same(team, person)).values(mark))


def shows_none(connection: Connection, team: str, person: str, seen: Home | None, now: datetime) -> bool:
    """Note that a Home shows no results, unless it was marked since it was `seen`; whether it was noted."""
    if seen is None:
        return _open(connection, team, person, now)
    unmarked = (*_same(team, person), homes.c.published_at == seen.published_at)
    mark = {"shows_results": False, "published_at": now}
    return connection.execute(update(homes).where(*unmarked).values(mark)).rowcount == 1


def _open(connection: Connection, team: str, person: str, now: datetime) -> bool:
    empty = {"shows_results": False, "asks": "", "published_at": now}
    return insert_if_absent(connection, homes, team=team, person=person, **empty)


def _same(team: str, person: str) -> tuple[Any, ...]:
    return homes.c.team == team, homes.c.person == person


def _to_home(row: Row[Any]) -> Home:
    return Home(
        person=row.person,
        shows_results=row.shows_results,
        asks=ReportQuery.read(row.asks),
        published_at=row.published_at,
    )

"""Count what waits in the database, or is uncertain."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from csat.db.account_pauses import AT_ONCE, get_pause_cause
from csat.db.account_scope import is_of
from csat.db.survey_transitions import UNCERTAIN
from csat.db.tables import outbox, surveys
from csat.surveys.states import State


class Backlog(NamedTuple):
    """The surveys and notifications that wait."""

    waiting: int
    """Surveys of the accounts that wait to be sent."""
    unposted: int
    """Notifications of all workspaces that were not posted yet."""
    pause_cause: str
    """The cause while one of the accounts is paused, else ""."""


class Uncertain(NamedTuple):
    """How many surveys may or may not have arrived."""

    looked_for: int
    """Those that the app still looks for."""
    left: int
    """Those that only their requesters can settle."""


def read_backlog(connection: Connection, accounts: Collection[str]) -> Backlog:
    """Count what waits; an index answers each count."""
    waiting = select(func.count()).where(surveys.c.state == State.ACCEPTED, is_of(*accounts))
    unposted = select(func.count()).where(outbox.c.due_at >= AT_ONCE)
    return Backlog(
        waiting=connection.execute(waiting).scalar_one(),
        unposted=connection.execute(unposted).scalar_one(),
        pause_cause=next(filter(None, (get_pause_cause(connection, account) for account in accounts)), ""),
    )


def count_uncertain(connection: Connection, accounts: Collection[str]) -> Uncertain:
    """Count the surveys of the accounts that are not settled."""
    numbers = select(func.count(surveys.c.reconcile_at), func.count()).where(UNCERTAIN, is_of(*accounts))
    looked_for, total = connection.execute(numbers).one()
    return Uncertain(looked_for, total - looked_for)

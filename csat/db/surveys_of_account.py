"""Which account on X a survey was accepted for: an instance works only for the surveys of its own.

Instances of several accounts can share a database.
"""

from collections import Counter

from sqlalchemy import ColumnElement, Connection, func, select

from csat.db.tables import surveys
from csat.surveys.states import State


def is_of(account: str) -> ColumnElement[bool]:
    """Return a condition on surveys: they were accepted for this account.

    Nearly all surveys have the same account: an index that begins with it would not help, and isn't used.
    """
    return func.coalesce(surveys.c.account, "") == account


def count_waiting_for_others(connection: Connection, account: str) -> Counter[str]:
    """Return how many surveys wait to be sent by each other account."""
    waiting = (surveys.c.state == State.ACCEPTED, ~is_of(account))
    return Counter(connection.execute(select(surveys.c.account).where(*waiting)).scalars())

"""Which account a survey was accepted for: an instance works only for the surveys of its own.

The account is that on X by which a survey is sent, or the workspace in which the app sends it itself.
Instances of several accounts can share a database.
"""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, func, select

from csat.db.tables import surveys
from csat.surveys.states import State


def is_of(*accounts: str) -> ColumnElement[bool]:
    """Return a condition on surveys: they were accepted for one of these accounts.

    Nearly all surveys have the same account: an index that begins with it would not help, and isn't used.
    """
    return func.coalesce(surveys.c.account, "").in_(accounts)


def describe(account: str) -> str:
    """Return what an account is called by operators: X's ids are numbers."""
    return f"the X account {account}" if account.isdigit() else f"the workspace {account}"


def count_waiting_for_others(connection: Connection, accounts: Collection[str]) -> Counter[str]:
    """Return how many surveys wait to be sent by each account that is none of these."""
    waiting = (surveys.c.state == State.ACCEPTED, ~is_of(*accounts))
    return Counter(connection.execute(select(surveys.c.account).where(*waiting)).scalars())

"""When X is asked whether a customer has answered: often at first, then ever more rarely."""

from datetime import datetime, timedelta

FIRST = timedelta(minutes=1)
"""How old a survey is when X is asked for the first time."""

LAST = timedelta(days=14)
"""How old a survey is when X is asked for the last time; without an answer, it has expired."""

GRACE = timedelta(minutes=10)
"""How long after the last time that is: so long, X may take to answer."""


def first_ask(sent_at: datetime) -> datetime:
    """Return when X is asked for the first time."""
    return sent_at + FIRST


def next_ask(sent_at: datetime, now: datetime) -> datetime:
    """Return when X is asked next: whenever the survey's age has doubled, and at last when it is `LAST`."""
    if now >= sent_at + LAST:
        return now + GRACE
    return min(sent_at + 2 * max(now - sent_at, FIRST), sent_at + LAST)


def is_over(sent_at: datetime, ask_at: datetime) -> bool:
    """Tell whether X was asked for the last time, where `ask_at` is when it would be asked next."""
    return ask_at > sent_at + LAST

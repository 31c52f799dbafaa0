"""When X is asked whether a customer has answered: often at first, then ever more rarely."""

from datetime import datetime, timedelta

FIRST = timedelta(minutes=1)
"""How old a survey is when X is asked for the first time."""

LAST = timedelta(days=14)
"""How old a survey is when X is asked for the last time; without an answer, it has expired."""

GRACE = timedelta(minutes=10)
"""How long X may take to answer that."""


def first_poll(sent_at: datetime) -> datetime:
    """Return when X is asked for the first time."""
    return sent_at + FIRST


def next_poll(sent_at: datetime, now: datetime) -> datetime:
    """Return when X is asked next: when the survey's age has doubled, and for the last time at `LAST`."""
    if now >= sent_at + LAST:
        return max(end_of(sent_at), now + GRACE)
    return min(sent_at + 2 * max(now - sent_at, FIRST), sent_at + LAST)


def end_of(sent_at: datetime) -> datetime:
    """Return when a survey is over about which X was asked for the last time, or never is."""
    return sent_at + LAST + GRACE


def is_over(sent_at: datetime, poll_at: datetime) -> bool:
    """Tell whether X was asked for the last time, where `poll_at` is when it would be asked next."""
    return poll_at > sent_at + LAST

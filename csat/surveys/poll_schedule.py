"""When X is asked whether a customer has answered: often at first, then ever more rarely."""

from datetime import datetime, timedelta

FIRST_POLL_AGE = timedelta(minutes=1)
"""How old a survey is when X is asked for the first time."""

LAST_POLL_AGE = timedelta(days=14)
"""How old a survey is when X is asked for the last time; without an answer, it has expired."""

LAST_POLL_GRACE = timedelta(minutes=10)
"""How long X may take to answer that."""


def first_poll(sent_at: datetime) -> datetime:
    """Return when X is asked for the first time."""
    return sent_at + FIRST_POLL_AGE


def next_poll(sent_at: datetime, now: datetime) -> datetime:
    """Return when to poll next: at twice the survey's age, and for the last time at `LAST_POLL_AGE`."""
    if now >= sent_at + LAST_POLL_AGE:
        return max(expires_at(sent_at), now + LAST_POLL_GRACE)
    return min(sent_at + 2 * max(now - sent_at, FIRST_POLL_AGE), sent_at + LAST_POLL_AGE)


def expires_at(sent_at: datetime) -> datetime:
    """Return when a survey is over about which X was asked for the last time, or never is."""
    return sent_at + LAST_POLL_AGE + LAST_POLL_GRACE


def is_past_last_poll(sent_at: datetime, poll_at: datetime) -> bool:
    """Tell whether X was asked for the last time, where `poll_at` is when it would be asked next."""
    return poll_at > sent_at + LAST_POLL_AGE

"""When to poll X for a survey's response: often at first, then less and less often."""

from datetime import datetime, timedelta

FIRST_POLL_AGE = timedelta(minutes=1)
"""The age of a survey at the first poll."""

LAST_POLL_AGE = timedelta(days=14)
"""The age of a survey at the last poll; a survey without a response expires after it."""

LAST_POLL_GRACE = timedelta(minutes=10)
"""How long to wait for the result of the last poll."""

FIRST_RETRY_WAIT = timedelta(minutes=1)


def first_poll(sent_at: datetime) -> datetime:
    """Return when to poll for the first time."""
    return sent_at + FIRST_POLL_AGE


def next_poll(sent_at: datetime, now: datetime) -> datetime:
    """Return when to poll next: at twice the survey's age, and for the last time at `LAST_POLL_AGE`."""
    if now >= sent_at + LAST_POLL_AGE:
        return max(expires_at(sent_at), now + LAST_POLL_GRACE)
    return min(sent_at + 2 * max(now - sent_at, FIRST_POLL_AGE), sent_at + LAST_POLL_AGE)


def retry_poll(sent_at: datetime, failures: int, now: datetime) -> datetime | None:
    """Return when to repeat a poll that has failed several times, each time after twice as long.

    Return `None` if the next regular poll is due before.
    """
    retry_at = now + FIRST_RETRY_WAIT * 2 ** (failures - 1)
    return retry_at if retry_at < next_poll(sent_at, now) else None


def expires_at(sent_at: datetime) -> datetime:
    """Return when a survey without a response expires."""
    return sent_at + LAST_POLL_AGE + LAST_POLL_GRACE


def finished_until(now: datetime) -> datetime:
    """Return when the newest of the surveys was sent whose 14 days to be answered have passed."""
    return now - LAST_POLL_AGE


def is_past_last_poll(sent_at: datetime, poll_at: datetime) -> bool:
    """Return True if the last poll is done, given when the next one would be due."""
    return poll_at > sent_at + LAST_POLL_AGE

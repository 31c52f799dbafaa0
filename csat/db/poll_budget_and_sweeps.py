"""The budget of polls, and the sweeps over an account's events: how far X is read for responses.

The row of an account is locked while its budget is counted, so that all instances together keep to it.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from csat.db.idempotent_inserts import insert_if_absent
from csat.db.tables import feeds, surveys

POLL_BUDGET = 180
"""Polls per window: X's rate limit of GET feedback/show, per user."""

POLL_WINDOW = timedelta(minutes=15, seconds=10)
"""X's window of 15 minutes, which begins when the first call arrives there."""

FIRST_SWEEP_LOOKBACK = timedelta(days=15)
"""How far back the first sweep begins; surveys are polled for two weeks."""

EVENT_DELAY = timedelta(hours=24, minutes=1)
"""How old an event is when X lists it, with a tolerance for clocks that differ."""

MAX_SWEEP_SPAN = timedelta(days=1)
MAX_SPLITS = 11
"""How often a span that can't be read is halved; what is left then, less than a minute, is skipped."""

SWEEP_OVERLAP = timedelta(minutes=10)
"""How much of the previous span is read again, for events that X listed late."""

SWEEP_LEASE = timedelta(minutes=10)
"""How long a span is claimed by one instance."""

SWEEP_INTERVAL = timedelta(minutes=15)


class Span(NamedTuple):
    """The time between two moments."""

    begin: datetime
    end: datetime


def ensure_feed(connection: Connection, account: str) -> None:
    """Insert the row of an account unless it exists."""
    insert_if_absent(connection, feeds, account=account, requests_used=0)


def lock_remaining_budget(connection: Connection, account: str, now: datetime) -> int:
    """Return how many polls remain in the window, and lock the budget."""
    feed = _lock(connection, account)
    if feed.window_started_at is None or feed.window_started_at + POLL_WINDOW <= now:
        _update(connection, account, requests_used=0, window_started_at=now)
        return POLL_BUDGET
    return max(0, POLL_BUDGET - int(feed.requests_used))


def spend_budget(connection: Connection, account: str, polls: int) -> None:
    """Subtract polls from the budget; a negative number returns them."""
    if polls:
        _update(connection, account, requests_used=feeds.c.requests_used + polls)


def exhaust_budget(connection: Connection, account: str, until: datetime) -> None:
    """Spend the whole budget until X's rate limit is reset."""
    _update(connection, account, requests_used=POLL_BUDGET, window_started_at=until - POLL_WINDOW)


def claim_sweep(connection: Connection, account: str, now: datetime) -> Span | None:
    """Claim the next span of events, for `SWEEP_LEASE`; return `None` if none is due or it is claimed."""
    feed = _lock(connection, account)
    swept_until = feed.swept_until or _first_sweep_start(connection, now)
    if swept_until is None or (feed.sweep_at and feed.sweep_at > now):
        return None
    part = 2**feed.sweep_failures
    begin = swept_until - SWEEP_OVERLAP / part
    span = Span(begin, min(begin + MAX_SWEEP_SPAN / part, now - EVENT_DELAY))
    if span.end <= swept_until:
        return None
    _update(connection, account, sweep_at=now + SWEEP_LEASE, swept_until=swept_until)
    return span


def mark_swept(connection: Connection, account: str, span: Span, now: datetime) -> None:
    """Store that a span was read to its end; the next one is due at once if the sweeps are behind."""
    feed = _lock(connection, account)
    is_behind = span.end + SWEEP_INTERVAL < now - EVENT_DELAY
    _update(
        connection,
        account,
        swept_until=max(span.end, feed.swept_until or span.end),
        sweep_at=now if is_behind else now + SWEEP_INTERVAL,
        sweep_failures=max(0, feed.sweep_failures - 1),
    )


def reschedule_sweep(connection: Connection, account: str, due_at: datetime) -> None:
    """Put a span back until `due_at`, because it was not read to its end."""
    _update(connection, account, sweep_at=due_at)


def split_sweep(connection: Connection, account: str, span: Span, due_at: datetime) -> bool:
    """Put back a span that can't be read, to read half of it at a time from `due_at` on.

    Return False if it can't be split any more and is skipped.
    """
    failures = _lock(connection, account).sweep_failures
    if failures < MAX_SPLITS:
        _update(connection, account, sweep_at=due_at, sweep_failures=failures + 1)
        return True
    mark_swept(connection, account, span, due_at)
    return False


def _first_sweep_start(connection: Connection, now: datetime) -> datetime | None:
    """Return the time of the oldest possible event, or `None` while there are no surveys."""
    oldest = select(surveys.c.accepted_at).where(surveys.c.id > 0).order_by(surveys.c.id).limit(1)
    first = connection.execute(oldest).scalar()
    return max(first, now - FIRST_SWEEP_LOOKBACK) if first else None


def _lock(connection: Connection, account: str) -> Row[Any]:
    return connection.execute(select(feeds).where(feeds.c.account == account).with_for_update()).one()


def _update(connection: Connection, account: str, **values: object) -> None:
    connection.execute(update(feeds).where(feeds.c.account == account).values(values))

"""What an account's X is asked beside sending: a budget of questions, and how far its events were read.

An account's row is locked while it is counted, so that all instances together keep to the budget.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from csat.db.inserts import insert_if_absent
from csat.db.tables import feeds, surveys

POLL_BUDGET = 180
"""How many surveys X may be asked about in a window (GET feedback/show, per user)."""

POLL_WINDOW = timedelta(minutes=15, seconds=10)
"""X's own 15 minutes, and what their first call may take until they begin."""

FIRST_SWEEP_LOOKBACK = timedelta(days=15)
"""How far back events are read the first time: X is asked about a survey for two weeks."""

EVENT_DELAY = timedelta(hours=24, minutes=1)
"""How old an event is before X lists it, and how far its clock may be from ours."""

MAX_SWEEP_SPAN = timedelta(days=1)
SWEEP_OVERLAP = timedelta(minutes=10)
"""How much of what was read before is read once more: X may have listed something late."""

SWEEP_LEASE = timedelta(minutes=10)
"""How long one instance has the events to itself."""

SWEEP_INTERVAL = timedelta(minutes=15)


class Span(NamedTuple):
    """A time whose events are read."""

    begin: datetime
    end: datetime


def ensure_feed(connection: Connection, account: str) -> None:
    """Make sure that an account has its row."""
    insert_if_absent(connection, feeds, account=account, requests_used=0)


def lock_remaining_budget(connection: Connection, account: str, now: datetime) -> int:
    """Return how many questions the budget has left, and lock it."""
    feed = _lock(connection, account)
    if feed.window_started_at is None or feed.window_started_at + POLL_WINDOW <= now:
        _update(connection, account, requests_used=0, window_started_at=now)
        return POLL_BUDGET
    return max(0, POLL_BUDGET - int(feed.requests_used))


def spend_budget(connection: Connection, account: str, number: int) -> None:
    """Count questions against the budget; a negative number gives them back."""
    if number:
        _update(connection, account, requests_used=feeds.c.requests_used + number)


def exhaust_budget(connection: Connection, account: str, until: datetime) -> None:
    """Spend the whole budget until then: X says that its own is spent."""
    _update(connection, account, requests_used=POLL_BUDGET, window_started_at=until - POLL_WINDOW)


def claim_sweep(connection: Connection, account: str, now: datetime) -> Span | None:
    """Claim the next span of events; `None` where it is not its time, or another instance reads it."""
    feed = _lock(connection, account)
    read_until = feed.swept_until or _first_sweep_start(connection, now)
    if read_until is None or (feed.sweep_at and feed.sweep_at > now):
        return None
    begin = read_until - SWEEP_OVERLAP
    span = Span(begin, min(begin + MAX_SWEEP_SPAN, now - EVENT_DELAY))
    if span.end <= read_until:
        return None
    _update(connection, account, sweep_at=now + SWEEP_LEASE, swept_until=read_until)
    return span


def mark_swept(connection: Connection, account: str, span: Span, now: datetime) -> None:
    """Note that a span was read to its end; the next one is read at once, where there is much to catch up."""
    is_behind = span.end + SWEEP_INTERVAL < now - EVENT_DELAY
    until = max(span.end, _lock(connection, account).swept_until or span.end)
    _update(connection, account, swept_until=until, sweep_at=now if is_behind else now + SWEEP_INTERVAL)


def reschedule_sweep(connection: Connection, account: str, at: datetime) -> None:
    """Read the same span once more: it was not read to its end."""
    _update(connection, account, sweep_at=at)


def _first_sweep_start(connection: Connection, now: datetime) -> datetime | None:
    """Return from when there can be answers; `None` while nothing was ever sent."""
    oldest = select(surveys.c.accepted_at).where(surveys.c.id > 0).order_by(surveys.c.id).limit(1)
    first = connection.execute(oldest).scalar()
    return max(first, now - FIRST_SWEEP_LOOKBACK) if first else None


def _lock(connection: Connection, account: str) -> Row[Any]:
    return connection.execute(select(feeds).where(feeds.c.account == account).with_for_update()).one()


def _update(connection: Connection, account: str, **values: Any) -> None:  # noqa: ANN401
    connection.execute(update(feeds).where(feeds.c.account == account).values(values))

"""Feedback events, and X's paginated list of them."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.x.errors import ApiError
from sandbox.x.feedback_card import Feedback
from sandbox.x.feedback_create_params import invalid_parameter

CREATED = "feedback.created"
UPDATED = "feedback.updated"

MAX_PAGE_SIZE = 100
LISTING_DELAY = timedelta(hours=24)
"""Events are listed once they are this old."""

_PARAMETERS = {"from_time", "to_time", "count", "cursor"}
_MILLISECONDS = re.compile(r"[0-9]{1,15}")
_CURSOR = re.compile(r"([0-9]+):([0-9]+):([0-9]+):([01])")


@dataclass(frozen=True)
class Event:
    """An event, with a copy of the feedback at that time."""

    type: str
    at: datetime
    feedback: Feedback


@dataclass(frozen=True)
class Cursor:
    """The start of a page; times are inclusive, in milliseconds since the epoch."""

    from_time: int
    to_time: int
    offset: int = 0
    after_empty_page: bool = False
    """True if the empty page before this one was returned already."""

    def encode(self) -> str:
        """Return the cursor as sent to clients."""
        text = f"{self.from_time}:{self.to_time}:{self.offset}:{int(self.after_empty_page)}"
        return base64.urlsafe_b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Page:
    """A page of events; an empty `next_cursor` marks the last page."""

    events: Sequence[Event]
    next_cursor: str


def list_events(
    events: Sequence[Event], params: Mapping[str, str], now: datetime, *, add_empty_pages: bool
) -> Page:
    """Return the requested page, oldest events first; raise ApiError for an invalid parameter."""
    for name in params.keys() - _PARAMETERS:
        raise invalid_parameter(name, "unknown parameter")
    count, cursor = _parse_count(params), _parse_start(params, now)
    if add_empty_pages and not cursor.after_empty_page:
        start = Cursor(cursor.from_time, cursor.to_time, cursor.offset, after_empty_page=True)
        return Page((), start.encode())
    matching = [event for event in events if cursor.from_time <= to_milliseconds(event.at) <= cursor.to_time]
    end = cursor.offset + count
    next_cursor = Cursor(cursor.from_time, cursor.to_time, end).encode() if end < len(matching) else ""
    return Page(matching[cursor.offset : end], next_cursor)


def to_milliseconds(at: datetime) -> int:
    """Return a time as X's milliseconds since the epoch."""
    return int(at.timestamp() * 1000)


def _parse_count(params: Mapping[str, str]) -> int:
    text = params.get("count", str(MAX_PAGE_SIZE))
    if not _MILLISECONDS.fullmatch(text) or not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise invalid_parameter("count", f"must be between 1 and {MAX_PAGE_SIZE}")
    return int(text)


def _parse_start(params: Mapping[str, str], now: datetime) -> Cursor:
    if params.get("cursor"):
        return _parse_cursor(params)
    from_time, to_time = _parse_time(params, "from_time"), _parse_time(params, "to_time")
    if to_time > to_milliseconds(now - LISTING_DELAY):
        raise invalid_parameter("to_time", "must be at least 24 hours ago")
    if from_time > to_time:
        raise invalid_parameter("from_time", "must not be after to_time")
    return Cursor(from_time, to_time)


def _parse_time(params: Mapping[str, str], name: str) -> int:
    if not params.get(name):
        raise ApiError(403, 38, f"{name} parameter is missing.")
    if not _MILLISECONDS.fullmatch(params[name]):
        raise invalid_parameter(name, "must be milliseconds since the epoch")
    return int(params[name])


def _parse_cursor(params: Mapping[str, str]) -> Cursor:
    try:
        found = _CURSOR.fullmatch(base64.urlsafe_b64decode(params["cursor"]).decode())
    except ValueError:
        found = None
    if not found:
        raise invalid_parameter("cursor", "not a cursor of this API")
    cursor = Cursor(int(found[1]), int(found[2]), int(found[3]), after_empty_page=found[4] == "1")
    for name, value in (("from_time", cursor.from_time), ("to_time", cursor.to_time)):
        if params.get(name, str(value)) != str(value):
            raise invalid_parameter("cursor", "belongs to another period")
    return cursor

"""The listing of what happened to feedbacks, page by page."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.x.errors import Refusal
from sandbox.x.feedback import Feedback
from sandbox.x.parameters import invalid

CREATED = "feedback.created"
UPDATED = "feedback.updated"

PAGE = 100
SETTLED = timedelta(hours=24)
"""How old an event is before it is listed."""

_NAMES = {"from_time", "to_time", "count", "cursor"}
_MILLISECONDS = re.compile(r"[0-9]{1,15}")
_CURSOR = re.compile(r"([0-9]+):([0-9]+):([0-9]+):([01])")


@dataclass(frozen=True)
class Event:
    """Something that happened to a feedback, and the feedback as it was then."""

    type: str
    at: datetime
    feedback: Feedback


@dataclass(frozen=True)
class Span:
    """Where in a listing a page begins; times are inclusive, in milliseconds."""

    start: int
    end: int
    offset: int = 0
    paused: bool = False
    """Whether the empty page before this one was given."""

    def cursor(self) -> str:
        """Write this place down for the next request."""
        text = f"{self.start}:{self.end}:{self.offset}:{int(self.paused)}"
        return base64.urlsafe_b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Page:
    """A page of events; only an empty `next_cursor` ends the listing."""

    events: Sequence[Event]
    next_cursor: str


def page(events: Sequence[Event], given: Mapping[str, str], now: datetime, *, empty_pages: bool) -> Page:
    """Cut the page that `given` asks for, oldest first; raise Refusal on a wrong parameter."""
    for name in given.keys() - _NAMES:
        raise invalid(name, "it is unknown")
    count, span = _count(given), _span(given, now)
    if empty_pages and not span.paused:
        return Page((), Span(span.start, span.end, span.offset, paused=True).cursor())
    within = [event for event in events if span.start <= milliseconds(event.at) <= span.end]
    ahead = span.offset + count
    more = Span(span.start, span.end, ahead).cursor() if ahead < len(within) else ""
    return Page(within[span.offset : ahead], more)


def milliseconds(at: datetime) -> int:
    """The time since the epoch as X counts it."""
    return int(at.timestamp() * 1000)


def _count(given: Mapping[str, str]) -> int:
    text = given.get("count", str(PAGE))
    if not _MILLISECONDS.fullmatch(text) or not 1 <= int(text) <= PAGE:
        raise invalid("count", f"it must be 1 to {PAGE}")
    return int(text)


def _span(given: Mapping[str, str], now: datetime) -> Span:
    if given.get("cursor"):
        return _continued(given)
    start, end = _time(given, "from_time"), _time(given, "to_time")
    if end > milliseconds(now - SETTLED):
        raise invalid("to_time", "it must be at least 24 hours before now")
    if start > end:
        raise invalid("from_time", "it must not be after to_time")
    return Span(start, end)


def _time(given: Mapping[str, str], name: str) -> int:
    if not given.get(name):
        raise Refusal(403, 38, f"{name} parameter is missing.")
    if not _MILLISECONDS.fullmatch(given[name]):
        raise invalid(name, "it must be milliseconds since the epoch")
    return int(given[name])


def _continued(given: Mapping[str, str]) -> Span:
    try:
        found = _CURSOR.fullmatch(base64.urlsafe_b64decode(given["cursor"]).decode())
    except ValueError:
        found = None
    if not found:
        raise invalid("cursor", "it is none of ours")
    span = Span(int(found[1]), int(found[2]), int(found[3]), paused=found[4] == "1")
    for name, value in (("from_time", span.start), ("to_time", span.end)):
        if given.get(name, str(value)) != str(value):
            raise invalid("cursor", "it belongs to another period")
    return span

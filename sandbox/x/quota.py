"""X's rate limits: so many calls per window, and the headers that tell how many are left."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.x.errors import Refusal

DAY = timedelta(hours=24)
QUARTER = timedelta(minutes=15)


class Way(enum.StrEnum):
    """The signed routes: each has a limit of its own."""

    CREATE = "create"
    SHOW = "show"
    EVENTS = "events"
    LOOKUP = "lookup"
    ME = "me"


@dataclass
class Quota:
    """At most `limit` calls in a window that begins with its first call; set `limit` at will."""

    limit: int
    window: timedelta = QUARTER
    used: int = 0
    ends: datetime | None = None

    def check(self, now: datetime) -> None:
        """Refuse with 429 / 88 if nothing is left."""
        if self.remaining(now) <= 0:
            raise Refusal(429, 88, "Rate limit exceeded")

    def spend(self, now: datetime) -> None:
        """Count one call."""
        if self.ends is None or now >= self.ends:
            self.used, self.ends = 0, now + self.window
        self.used += 1

    def remaining(self, now: datetime) -> int:
        """How many calls are left in the window."""
        over = self.ends is None or now >= self.ends
        return self.limit if over else max(0, self.limit - self.used)

    def headers(self, now: datetime) -> dict[str, str]:
        """The `x-rate-limit-*` headers, and the `x-user-limit-24hour-*` ones where the window is a day."""
        prefixes = ["x-rate-limit", "x-user-limit-24hour"] if self.window == DAY else ["x-rate-limit"]
        over = self.ends is None or now >= self.ends
        ends = now + self.window if over or self.ends is None else self.ends
        return {
            name: value
            for prefix in prefixes
            for name, value in limits(prefix, self.limit, self.remaining(now), ends).items()
        }


def limits(prefix: str, limit: int, remaining: int, ends: datetime) -> dict[str, str]:
    """Three headers of one limit; the reset is in Unix seconds."""
    return {
        f"{prefix}-limit": str(limit),
        f"{prefix}-remaining": str(remaining),
        f"{prefix}-reset": str(int(ends.timestamp())),
    }


def fresh_quotas() -> dict[Way, Quota]:
    """The limits that X documents, all unused."""
    return {
        Way.CREATE: Quota(1_000, DAY),
        Way.SHOW: Quota(180),
        Way.EVENTS: Quota(1_000),
        Way.LOOKUP: Quota(900),
        Way.ME: Quota(75),
    }

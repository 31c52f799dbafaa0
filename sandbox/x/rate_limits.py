"""X's rate limits: requests per window, and the headers that report them."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.x.errors import ApiError

DAY = timedelta(hours=24)
QUARTER_HOUR = timedelta(minutes=15)


class Endpoint(enum.StrEnum):
    """The signed endpoints; each has its own rate limit."""

    CREATE = "create"
    SHOW = "show"
    EVENTS = "events"
    LOOKUP = "lookup"
    ME = "me"
    SEND_MESSAGE = "send_message"
    LIST_MESSAGES = "list_messages"


@dataclass
class RateLimit:
    """Allow `limit` requests per window, and perhaps per day; a window starts with its first request."""

    limit: int
    window: timedelta = QUARTER_HOUR
    used: int = 0
    resets_at: datetime | None = None
    daily: "RateLimit | None" = None

    def check(self, now: datetime) -> None:
        """Raise ApiError (429 / 88) if no requests remain."""
        if self.remaining(now) <= 0:
            raise ApiError(429, 88, "Rate limit exceeded")
        if self.daily:
            self.daily.check(now)

    def count(self, now: datetime) -> None:
        """Count one request, starting a new window if needed."""
        if self.resets_at is None or now >= self.resets_at:
            self.used, self.resets_at = 0, now + self.window
        self.used += 1
        if self.daily:
            self.daily.count(now)

    def remaining(self, now: datetime) -> int:
        """Return the number of requests left in the window."""
        expired = self.resets_at is None or now >= self.resets_at
        return self.limit if expired else max(0, self.limit - self.used)

    def headers(self, now: datetime) -> dict[str, str]:
        """Return the `x-rate-limit-*` headers, and `x-user-limit-24hour-*` for a daily window."""
        prefixes = ["x-rate-limit", "x-user-limit-24hour"] if self.window == DAY else ["x-rate-limit"]
        daily = self.daily.headers(now) if self.daily else {}
        expired = self.resets_at is None or now >= self.resets_at
        resets_at = now + self.window if expired or self.resets_at is None else self.resets_at
        return daily | {
            name: value
            for prefix in prefixes
            for name, value in rate_limit_headers(prefix, self.limit, self.remaining(now), resets_at).items()
        }


def rate_limit_headers(prefix: str, limit: int, remaining: int, resets_at: datetime) -> dict[str, str]:
    """Return the three headers of one limit; the reset is in Unix seconds."""
    return {
        f"{prefix}-limit": str(limit),
        f"{prefix}-remaining": str(remaining),
        f"{prefix}-reset": str(int(resets_at.timestamp())),
    }


def default_rate_limits() -> dict[Endpoint, RateLimit]:
    """Return the limits documented by X, all unused."""
    return {
        Endpoint.CREATE: RateLimit(1_000, DAY),
        Endpoint.SHOW: RateLimit(180),
        Endpoint.EVENTS: RateLimit(1_000),
        Endpoint.LOOKUP: RateLimit(900),
        Endpoint.ME: RateLimit(75),
        Endpoint.SEND_MESSAGE: RateLimit(15, daily=RateLimit(1_440, DAY)),
        Endpoint.LIST_MESSAGES: RateLimit(15),
    }

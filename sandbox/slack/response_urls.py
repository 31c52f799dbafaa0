"""Response URLs: the app may post to each five times within thirty minutes.

Slack responds with 404 and `used_url` after that many posts, and with 404 and `expired_url` after that time.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.slack.conversations import Message
from sandbox.slack.errors import SlackError

RESPONSE_URL_LIFETIME = timedelta(minutes=30)
MAX_USES = 5


@dataclass
class ResponseUrl:
    """A response URL."""

    path: str
    user: str
    channel: str
    issued_at: datetime
    message: Message | None = None
    """The message in which an action happened, which can be replaced."""
    uses: int = 0


class ResponseUrls:
    """The response URLs that were issued."""

    def __init__(self, clock: Callable[[], datetime], team: str) -> None:
        self._clock = clock
        self._team = team
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, kind: str, user: str, channel: str, message: Message | None = None) -> str:
        """Return the path of a new URL; `kind` is its first segment: `commands`, `actions` or `app`."""
        path = f"/{kind}/{self._team}/{secrets.randbelow(10**13)}/{secrets.token_hex(12)}"
        self._issued[path] = ResponseUrl(path, user, channel, self._clock(), message)
        return path

    def use(self, path: str) -> ResponseUrl:
        """Count a use and return the URL; raises `SlackError` if it is unknown, expired or used up."""
        url = self._issued.get(path)
        if url is None:
            raise SlackError("no_service")
        if self._clock() - url.issued_at > RESPONSE_URL_LIFETIME:
            raise SlackError("expired_url")
        if url.uses >= MAX_USES:
            raise SlackError("used_url")
        url.uses += 1
        return url

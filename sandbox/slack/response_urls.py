"""Where an app may answer an interaction: five times in thirty minutes, in its own conversation.

Slack answers a spent one with 404 and `used_url`, an old one with 404 and `expired_url`.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.slack.conversations import Message
from sandbox.slack.errors import SlackError

LIFE = timedelta(minutes=30)
USES = 5


@dataclass
class ResponseUrl:
    """One such address."""

    path: str
    user: str
    channel: str
    at: datetime
    message: Message | None = None
    """The message of the app's whose button was pressed, which can be replaced."""
    uses: int = 0


class ResponseUrls:
    """All addresses that were issued."""

    def __init__(self, clock: Callable[[], datetime], team: str) -> None:
        self._clock = clock
        self._team = team
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, kind: str, user: str, channel: str, message: Message | None = None) -> str:
        """Return the path of a new address; `kind` is `commands`, `actions` or `app`, as Slack's are."""
        path = f"/{kind}/{self._team}/{secrets.randbelow(10**13)}/{secrets.token_hex(12)}"
        self._issued[path] = ResponseUrl(path, user, channel, self._clock(), message)
        return path

    def use(self, path: str) -> ResponseUrl:
        """Count one use; `SlackError` when the address is unknown, too old or spent."""
        url = self._issued.get(path)
        if url is None:
            raise SlackError("no_service")
        if self._clock() - url.at > LIFE:
            raise SlackError("expired_url")
        if url.uses >= USES:
            raise SlackError("used_url")
        url.uses += 1
        return url

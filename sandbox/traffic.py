"""What went between the app, Slack and X: kept for the drawer of the page, with secrets mask_secrets."""

import itertools
import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from sandbox.pubsub import PubSub

MAX_EXCHANGES = 300
"""How many exchanges are kept; the oldest go first."""

MAX_BODY_CHARACTERS = 20_000
"""How many characters of a body are kept."""

_SECRETS = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|(?<=oauth_token=\")[^\"]+|(?<=oauth_signature=\")[^\"]+")


@dataclass(frozen=True)
class Exchange:
    """One request and its response."""

    number: int
    at: datetime
    sender: str
    """`app`, `slack`, `x` or `person`."""
    receiver: str
    title: str
    """What a reader scans: `POST chat.postMessage`, `slash command /csat`, ..."""
    status: str
    """An HTTP status, `ok`, Slack's error name, `no response`, ..."""
    milliseconds: float
    request: str
    response: str


class TrafficLog:
    """The newest exchanges, oldest first."""

    def __init__(self, pubsub: PubSub) -> None:
        self.exchanges: deque[Exchange] = deque(maxlen=MAX_EXCHANGES)
        self._pubsub = pubsub
        self._numbers = itertools.count(1)

    def record(
        self,
        at: datetime,
        sender: str,
        receiver: str,
        title: str,
        status: str,
        milliseconds: float,
        request: str,
        response: str,
    ) -> None:
        """Keep one exchange and publish `traffic`."""
        exchange = Exchange(
            next(self._numbers),
            at,
            sender,
            receiver,
            title,
            status,
            milliseconds,
            mask_secrets(request),
            mask_secrets(response),
        )
        self.exchanges.append(exchange)
        self._pubsub.publish("traffic")


def mask_secrets(text: str) -> str:
    """Shorten a body and hide tokens and signatures in it."""
    return _SECRETS.sub(lambda found: f"{found[0][:5]}***", text[:MAX_BODY_CHARACTERS])

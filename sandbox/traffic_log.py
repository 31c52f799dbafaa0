"""The log of the most recent exchanges between the app, Slack and X, with masked secrets."""

import itertools
import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from sandbox.pubsub import PubSub

MAX_EXCHANGES = 300
MAX_BODY_CHARACTERS = 20_000

SECRETS = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|(?<=oauth_token=\")[^\"]+|(?<=oauth_signature=\")[^\"]+")


@dataclass(frozen=True)
class Exchange:
    """A request and its response."""

    number: int
    at: datetime
    sender: str
    """`app`, `slack`, `x` or `person`."""
    receiver: str
    title: str
    """A short description, such as `POST chat.postMessage` or `slash command /csat`."""
    status: str
    """An HTTP status, `ok`, the name of an error in Slack, or a short description of the failure."""
    milliseconds: float
    request: str
    response: str


class TrafficLog:
    """The most recent exchanges, oldest first."""

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
        """Add an exchange and publish `traffic`."""
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
    """Truncate a body and mask the tokens and signatures in it."""
    return SECRETS.sub(lambda match: f"{match[0][:5]}***", text[:MAX_BODY_CHARACTERS])

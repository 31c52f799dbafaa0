"""Ids and timestamps as Slack shapes them, never twice the same."""

import secrets
import string
from collections.abc import Callable
from datetime import datetime

LETTERS = string.ascii_uppercase + string.digits
MICROSECONDS = 1_000_000


class Identifiers:
    """Makes the ids of one workspace."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._last = 0

    @staticmethod
    def make(prefix: str, length: int = 11) -> str:
        """Return an id such as `V07Q2XK4A9B`."""
        return prefix + "".join(secrets.choice(LETTERS) for _ in range(length - len(prefix)))

    @staticmethod
    def block() -> str:
        """Return an id such as Slack gives to a block that has none."""
        return secrets.token_urlsafe(4)[:5]

    def ts(self, at: datetime | None = None) -> str:
        """Return a message's `ts`: seconds and a serial number, later than every one before."""
        moment = int((at or self._clock()).timestamp() * MICROSECONDS)
        if at is None:
            self._last = moment = max(self._last + 1, moment)
        return f"{moment // MICROSECONDS}.{moment % MICROSECONDS:06d}"

    def hash(self) -> str:
        """Return a view's `hash`."""
        return f"{int(self._clock().timestamp())}.{secrets.token_hex(4)}"

    @staticmethod
    def trigger() -> str:
        """Return a `trigger_id`."""
        return f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"

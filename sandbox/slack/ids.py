"""Ids and timestamps in Slack's formats."""

import secrets
import string
from collections.abc import Callable
from datetime import datetime

ID_CHARACTERS = string.ascii_uppercase + string.digits
MICROSECONDS = 1_000_000


class IdGenerator:
    """Generates the unique ids of a workspace."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._last_ts = 0

    @staticmethod
    def new_id(prefix: str, length: int = 11) -> str:
        """Return an id such as `V07Q2XK4A9B`."""
        return prefix + "".join(secrets.choice(ID_CHARACTERS) for _ in range(length - len(prefix)))

    @staticmethod
    def new_block_id() -> str:
        """Return an id like those that Slack gives to blocks without one."""
        return secrets.token_urlsafe(4)[:5]

    @staticmethod
    def new_trigger_id() -> str:
        """Return a `trigger_id`."""
        return f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"

    def new_hash(self) -> str:
        """Return a view's `hash`."""
        return f"{int(self._clock().timestamp())}.{secrets.token_hex(4)}"

    def new_ts(self) -> str:
        """Return a message's `ts`, later than all before."""
        self._last_ts = max(self._last_ts + 1, _microseconds(self._clock()))
        return _format_ts(self._last_ts)

    @staticmethod
    def ts_at(time: datetime) -> str:
        """Return the `ts` of a message posted at a given time."""
        return _format_ts(_microseconds(time))


def _microseconds(time: datetime) -> int:
    return int(time.timestamp() * MICROSECONDS)


def _format_ts(microseconds: int) -> str:
    return f"{microseconds // MICROSECONDS}.{microseconds % MICROSECONDS:06d}"

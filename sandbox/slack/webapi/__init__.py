"""Slack's Web API."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call of the app's."""

    method: str
    """`chat.postMessage`, ..., or `response_url`."""
    args: dict[str, Any]
    """What was sent, JSON inside it decoded, without the token."""
    answer: dict[str, Any]
    status: int = 200

    @property
    def error(self) -> str:
        """Slack's name of the error, or nothing."""
        return str(self.answer.get("error", ""))

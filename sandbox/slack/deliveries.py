"""What the app is told."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Delivery:
    """One request to the app."""

    kind: str
    """As Socket Mode calls it: `slash_commands`, `interactive`, `events_api`."""
    payload: dict[str, Any]
    envelope_id: str
    retry: int = 0
    answer: dict[str, Any] | None = field(default=None, compare=False)
    """What the app acknowledged with; None when it did not."""
    failure: str = field(default="", compare=False)
    """`operation_timeout`, `dispatch_failed`, ... when it did not."""

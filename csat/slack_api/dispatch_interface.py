"""The interface to dispatch a request from Slack, which returns the acknowledgement of its listener."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple


class Acknowledgement(NamedTuple):
    """An HTTP response; over Socket Mode, only the body of a 200 is sent."""

    status: int
    body: str
    content_type: str


Dispatch = Callable[[dict[str, Any]], Awaitable[Acknowledgement]]
"""Handles the payload of a verified request and returns the acknowledgement."""

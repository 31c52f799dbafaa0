"""What the app returns to Slack for a request, over HTTP or a socket."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple


class Acknowledgement(NamedTuple):
    """An HTTP response; over a socket, only the body of a 200 is sent."""

    status: int
    body: str
    content_type: str


Dispatch = Callable[[dict[str, Any]], Awaitable[Acknowledgement]]
"""Handles the payload of a verified request, and returns the acknowledgement."""

"""Ports for servers whose port must be known before they start."""

import contextlib
import random
import socket
from typing import Final

BELOW_EPHEMERAL: Final = range(15_000, 32_000)
"""Systems take none of these for connections, so that a port that was free stays so."""


def find_free_port() -> int:
    """Return a port that nothing listens on; at random, as other processes choose theirs at the same time."""
    while True:
        port = random.choice(BELOW_EPHEMERAL)  # noqa: S311 - a port is no secret
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port

"""Ports for servers whose port must be known before they start."""

import contextlib
import random
import socket
from typing import Final

BELOW_EPHEMERAL: Final = range(15_000, 32_000)
"""Systems take none of these for connections, so that a port that was free stays so."""


def find_free_port() -> int:
    """Return a port that nothing listens on."""
    while True:
        port = random.choice(BELOW_EPHEMERAL)  # noqa: S311 - tests run side by side
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port

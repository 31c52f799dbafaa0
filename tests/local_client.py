"""HTTP clients for servers on this machine."""

from typing import Any

import httpx


def local_client(**options: Any) -> httpx.AsyncClient:
    """Return a client that loads no certificates, which would take longer than most tests."""
    return httpx.AsyncClient(**options, trust_env=False, verify=False)  # noqa: S501 - nothing leaves the machine

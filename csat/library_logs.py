"""The log levels of libraries."""

import logging

NOISY_LIBRARIES = ("slack_bolt", "slack_sdk", "httpx", "oauthlib", "aiohttp", "alembic", "uvicorn")
"""Below ERROR these log request bodies, URLs or each of their steps."""


def silence_libraries() -> None:
    """Keep what libraries log of requests out of the log."""
    for library in NOISY_LIBRARIES:
        logging.getLogger(library).setLevel(logging.ERROR)

"""Slack's `response_url`s, which allow posts to a conversation that the app is not a member of."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic_core import from_json
from slack_sdk.webhook.async_client import AsyncWebhookClient

from csat.outgoing_request_timing import Observe, Timed, ignore
from csat.slack_api.errors import as_slack_error, error_from_response
from csat.surveys.origin import RESPONSE_URL_LIFETIME

SLACK_ORIGINS = frozenset({"https://hooks.slack.com", "https://hooks.slack-gov.com"})


class ResponseUrls:
    """Post to `response_url`s that are Slack's.

    Args:
        session: the HTTP session that all calls share.
        api_url: the base URL of Slack's Web API; `response_url`s of the same origin are trusted too.
        observe: observes each request.
    """

    def __init__(self, session: aiohttp.ClientSession, api_url: str, observe: Observe = ignore) -> None:
        self._session = session
        self._observe = observe
        self._trusted_origins = SLACK_ORIGINS | {_origin(api_url)}

    def is_usable(self, url: str, received_at: datetime, now: datetime) -> bool:
        """Return True if a `response_url` is Slack's and has not expired."""
        return (
            bool(url) and _origin(url) in self._trusted_origins and now < received_at + RESPONSE_URL_LIFETIME
        )

    async def post(self, url: str, body: dict[str, Any]) -> None:
        """Post a message to a usable `response_url`; raises `SlackError`."""
        with Timed(self._observe, "response_url"):
            with as_slack_error():
                webhook = AsyncWebhookClient(url, session=self._session)
                response = await webhook.send_dict(body)
            if response.status_code != HTTPStatus.OK:
                raise error_from_response(response.status_code, response.headers, _error_code(response.body))


def _error_code(body: str) -> object:
    """Return Slack's error code, which comes in JSON or alone."""
    try:
        response = from_json(body)
    except ValueError:
        return body.strip()
    return response.get("error") if isinstance(response, dict) else None


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()

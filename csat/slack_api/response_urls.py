"""Slack's `response_url`: a way into one conversation, for half an hour, without being a member of it."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from csat.slack_api.errors import as_slack_error, of_answer
from csat.surveys.survey import RESPONSE_URL_LIFETIME

SLACKS_OWN = frozenset({"https://hooks.slack.com", "https://hooks.slack-gov.com"})
TIMEOUT = 5
"""Seconds for a whole call."""
_OK = 200


class ResponseUrls:
    """Posts through `response_url`s, if they are Slack's.

    Args:
        session: the HTTP session that all of the app's calls to Slack share.
        api_url: where Slack's Web API is; a `response_url` there is trusted too.
    """

    def __init__(self, session: aiohttp.ClientSession, api_url: str) -> None:
        self._session = session
        self._trusted = SLACKS_OWN | {_place(api_url)}

    def usable(self, url: str, received_at: datetime, now: datetime) -> bool:
        """Tell whether a `response_url` is Slack's own and still alive."""
        return bool(url) and _place(url) in self._trusted and now < received_at + RESPONSE_URL_LIFETIME

    async def post(self, url: str, body: dict[str, Any]) -> None:
        """Post one message; raises `SlackError`. Ask `usable` first."""
        with as_slack_error():
            answer = await AsyncWebhookClient(url, timeout=TIMEOUT, session=self._session).send_dict(body)
        if answer.status_code != _OK:
            raise of_answer(answer.status_code, answer.headers, answer.body[:80])


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()

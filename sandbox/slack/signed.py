"""Deliveries over HTTP, signed as Slack signs: https://docs.slack.dev/authentication/verifying-requests-from-slack."""

import hashlib
import hmac
import json
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.deliveries import Delivery
from sandbox.slack.errors import Json, SlackError

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def encode(delivery: Delivery) -> tuple[str, str]:
    """Return the body of a delivery, and its content type."""
    match delivery.type:
        case "slash_commands":
            return urlencode(delivery.payload), FORM
        case "interactive":
            return urlencode({"payload": json.dumps(delivery.payload)}), FORM
        case _:
            return json.dumps(delivery.payload), JSON


def signature(secret: str, timestamp: str, body: str) -> str:
    """Return the `x-slack-signature` of a body."""
    signed = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return f"v0={signed.hexdigest()}"


def headers(secret: str, at: datetime, body: str, content_type: str, retry: int) -> dict[str, str]:
    """Return what Slack sends along: signature, time and, with a repeat, which one it is and why."""
    timestamp = str(int(at.timestamp()))
    retried = {"x-slack-retry-num": str(retry), "x-slack-retry-reason": "http_timeout"} if retry else {}
    return {
        "content-type": content_type,
        "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": signature(secret, timestamp, body),
        **retried,
    }


async def post(url: str, body: str, sent: dict[str, str]) -> Json:
    """Post a delivery and return what it is acknowledged with; `SlackError` names what went wrong."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers=sent, allow_redirects=False) as response,
        ):
            return decipher(response.status, await response.text())
    except aiohttp.ClientError as error:
        raise SlackError("dispatch_failed", str(error)) from error


def decipher(status: int, body: str) -> Json:
    """Return what an answer of the app's says; plain text is a message's text."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SlackError("http_service_error", f"HTTP {status}")
    if status != HTTPStatus.OK:
        raise SlackError("http_client_error", f"HTTP {status}")
    if not body.strip():
        return {}
    try:
        answer = json.loads(body)
    except json.JSONDecodeError:
        return {"text": body}
    return answer if isinstance(answer, dict) else {"text": body}

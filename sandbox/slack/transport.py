"""Deliver payloads to the app, over Socket Mode or HTTP.

HTTP requests are signed: https://docs.slack.dev/authentication/verifying-requests-from-slack.
"""

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.calls_and_deliveries import Delivery
from sandbox.slack.errors import SlackError
from sandbox.slack.json_types import Json, copy_json
from sandbox.slack.workspace_state import WorkspaceState

ACK_TIMEOUT_SECONDS = 3.0

SLASH_COMMANDS = "slash_commands"
INTERACTIVE = "interactive"
EVENTS_API = "events_api"

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class Transport:
    """Delivers payloads to the app, and records the deliveries."""

    def __init__(self, state: WorkspaceState, ack_timeout: float = ACK_TIMEOUT_SECONDS) -> None:
        self.deliveries: list[Delivery] = []
        self.request_url = ""
        """The app's URL for deliveries over HTTP; empty for Socket Mode."""
        self._state = state
        self._ack_timeout = ack_timeout

    async def deliver(self, type_: str, payload: Json) -> Delivery:
        """Deliver a payload, and as many duplicates as requested; return the first acknowledged delivery."""
        envelope_id, payload = str(uuid.uuid4()), copy_json(payload)
        attempts = range(1 + self._state.faults.duplicate_deliveries)
        deliveries = [Delivery(type_, payload, envelope_id, number) for number in attempts]
        await asyncio.gather(*map(self._send, deliveries))
        return next((sent for sent in deliveries if sent.response is not None), deliveries[0])

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Deliver the same payload again, as a retry."""
        retry = Delivery(delivery.type, delivery.payload, delivery.envelope_id, delivery.retry_number + 1)
        await self._send(retry)
        return retry

    async def _send(self, delivery: Delivery) -> None:
        started = time.perf_counter()
        self.deliveries.append(delivery)
        try:
            async with asyncio.timeout(self._ack_timeout):
                delivery.response = await self._send_once(delivery)
        except TimeoutError:
            delivery.error = "operation_timeout"
        except SlackError as error:
            delivery.error = error.error
        status = delivery.error or "acknowledged"
        seconds = time.perf_counter() - started
        response = delivery.response or {}
        self._state.record_exchange("slack", delivery.title, status, seconds, delivery.payload, response)

    async def _send_once(self, delivery: Delivery) -> Json:
        if not self.request_url:
            return await self._state.socket_mode.send(encode_envelope(delivery))
        body, content_type = encode_body(delivery)
        secret, now = self._state.signing_secret, self._state.clock()
        headers = request_headers(secret, now, body, content_type, delivery.retry_number)
        return await post(self.request_url, body, headers)


def encode_envelope(delivery: Delivery) -> Json:
    """Return a delivery as an envelope of Socket Mode."""
    number = delivery.retry_number
    return {
        "envelope_id": delivery.envelope_id,
        "type": delivery.type,
        "payload": delivery.payload,
        "accepts_response_payload": delivery.type != EVENTS_API,
        **({"retry_attempt": number, "retry_reason": "timeout"} if number else {}),
    }


def encode_body(delivery: Delivery) -> tuple[str, str]:
    """Return a delivery as an HTTP body, and its content type."""
    match delivery.type:
        case "slash_commands":
            return urlencode(delivery.payload), FORM
        case "interactive":
            return urlencode({"payload": json.dumps(delivery.payload)}), FORM
        case _:
            return json.dumps(delivery.payload), JSON


def sign(secret: str, timestamp: str, body: str) -> str:
    """Return the `x-slack-signature` of a body."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return f"v0={digest.hexdigest()}"


def request_headers(
    secret: str, sent_at: datetime, body: str, content_type: str, retry_number: int
) -> dict[str, str]:
    """Return the HTTP headers of a delivery, signed, and marked as a retry if it is one."""
    timestamp = str(int(sent_at.timestamp()))
    retry = {"x-slack-retry-num": str(retry_number), "x-slack-retry-reason": "http_timeout"}
    return {
        "content-type": content_type,
        "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": sign(secret, timestamp, body),
        **(retry if retry_number else {}),
    }


async def post(url: str, body: str, headers: dict[str, str]) -> Json:
    """Post a delivery and return the payload of its acknowledgement; raises `SlackError` if it fails."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            return parse_acknowledgement(response.status, await response.text())
    except aiohttp.ClientError as error:
        raise SlackError("dispatch_failed", str(error)) from error


def parse_acknowledgement(status: int, body: str) -> Json:
    """Return the payload of the app's HTTP response; plain text is the text of a message."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SlackError("http_service_error", f"HTTP {status}")
    if status != HTTPStatus.OK:
        raise SlackError("http_client_error", f"HTTP {status}")
    if not body.strip():
        return {}
    try:
        payload = json.loads(body)
    except json.JSONDecodeError:
        return {"text": body}
    return payload if isinstance(payload, dict) else {"text": body}

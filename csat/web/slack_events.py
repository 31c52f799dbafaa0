"""`POST /slack/events`: every request from Slack over HTTP, verified before it is parsed."""

import json
import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.signature import Clock as VerifierClock
from slack_sdk.signature import SignatureVerifier
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from yarl import query_to_pairs

from csat.clock import Clock
from csat.slack_api.dispatch_interface import Dispatch
from csat.web.request_body import BodyTooLarge, read_body

MAX_BODY_BYTES = 512 * 1024
"""Slack's largest payload is a view of 250 kB with its context."""
MAX_FORM_FIELDS = 100

FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"
MAX_AGE_SECONDS = 300
"""The tolerance of slack_sdk's verifier."""
WARNING_INTERVAL = timedelta(minutes=1)

UNSIGNED = "it isn't signed as Slack's are"
OUTDATED = "its timestamp is more than 5 minutes off. Check the clock of the database's machine"
MISMATCH = (
    "its signature doesn't match. Compare SLACK_SIGNING_SECRET with the Signing Secret at api.slack.com/apps"
)

_TIMESTAMP = re.compile(r"[0-9]{1,11}")

log = logging.getLogger(__name__)


class InvalidSignature(Exception):
    """The request is not signed by Slack; `str()` says why, without a value of the request."""


class SlackEndpoint:
    """Verify and parse a request, and dispatch its payload.

    Bolt's own HTTP adapters parse before they verify, take any form with the word "payload" in it for an
    interaction, and raise on a malformed timestamp or signature.

    Args:
        dispatch: handles the payload.
        signing_secret: Slack's signing secret.
        clock: the current time, to reject old requests.
    """

    def __init__(self, dispatch: Dispatch, signing_secret: str, clock: Clock) -> None:
        self._dispatch = dispatch
        self._clock = clock
        self._warned_at: datetime | None = None
        self._verifier = SignatureVerifier(signing_secret, clock=_VerifierClock(clock))

    async def handle(self, request: Request) -> Response:
        """Respond with the acknowledgement, or with 401, 413 or 400."""
        content_type = request.headers.get("content-type", "")
        try:
            raw = await read_body(request, MAX_BODY_BYTES)
            if is_ssl_check(raw, content_type):
                return Response()
            self._verify(raw, request.headers)
            payload = parse_payload(raw, content_type)
        except BodyTooLarge:
            return PlainTextResponse("body too large", 413)
        except InvalidSignature as error:
            self._warn(error)
            return PlainTextResponse("invalid signature", 401)
        except (ValueError, ClientDisconnect):
            return PlainTextResponse("bad request", 400)
        if payload.get("type") == "url_verification":
            return JSONResponse({"challenge": payload.get("challenge")})
        status, body, content_type = await self._dispatch(payload)
        return Response(body, status, headers={"content-type": content_type})

    def _verify(self, raw: bytes, headers: Mapping[str, str]) -> None:
        signature = headers.get("x-slack-signature", "")
        timestamp = headers.get("x-slack-request-timestamp", "")
        # SignatureVerifier raises on a timestamp that is not a number and on a signature that is not ASCII
        if not (_TIMESTAMP.fullmatch(timestamp) and signature.isascii()):
            raise InvalidSignature(UNSIGNED)
        try:
            is_valid = self._verifier.is_valid(raw.decode(), timestamp, signature)
        except UnicodeDecodeError:
            raise InvalidSignature(UNSIGNED) from None
        if not is_valid:
            age = self._clock().timestamp() - int(timestamp)
            raise InvalidSignature(OUTDATED if abs(age) > MAX_AGE_SECONDS else MISMATCH)

    def _warn(self, error: InvalidSignature) -> None:
        """Log a rejected request, unless another was logged within a minute."""
        now = self._clock()
        if self._warned_at is None or now >= self._warned_at + WARNING_INTERVAL:
            self._warned_at = now
            log.warning("A request to Slack's route was rejected: %s", error)


class _VerifierClock(VerifierClock):
    """The app's clock, as slack_sdk's verifier reads it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock().timestamp()


async def handle_get(request: Request) -> Response:
    """Respond to a check of the certificate, for which Slack also uses GET, and to nothing else."""
    if request.query_params.get("ssl_check") == "1":
        return Response()
    return PlainTextResponse("method not allowed", 405, {"allow": "POST"})


def is_ssl_check(raw: bytes, content_type: str) -> bool:
    """Return True if Slack only checks the certificate; these requests are not signed.

    https://docs.slack.dev/interactivity/implementing-slash-commands
    """
    return _is_form(content_type) and b"ssl_check=1" in raw.split(b"&")


def parse_payload(raw: bytes, content_type: str) -> dict[str, Any]:
    """Return the payload in a request's body: JSON, a form, or JSON in a form; raises `ValueError`."""
    if not _is_form(content_type):
        return _require_object(json.loads(raw))
    form = dict(query_to_pairs(raw.decode(), max_fields=MAX_FORM_FIELDS))  # ten times as fast as urllib.parse
    if "payload" in form and "command" not in form:
        return _require_object(json.loads(form["payload"]))
    return dict(form)


def _is_form(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == FORM_CONTENT_TYPE


def _require_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - handled like invalid JSON
    return value

"""`POST /slack/events`: everything that Slack sends over HTTP, checked before anything else reads it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from slack_sdk.signature import Clock as VerifierClock
from slack_sdk.signature import SignatureVerifier
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from yarl import query_to_pairs

from csat.clock import Clock
from csat.slack_api.acknowledgement import Dispatch
from csat.web.request_body import BodyTooLarge, read_body

PATH = "/slack/events"
"""The one path that Slack calls."""

LARGEST_BODY = 512 * 1024
"""Bytes; Slack's largest payload is a view of 250 kB and what is around it."""

MOST_FIELDS = 100

_TIMESTAMP = re.compile(r"[0-9]{1,11}")
FORM = "application/x-www-form-urlencoded"


class NotFromSlack(Exception):
    """The request is not signed as Slack signs."""


class SlackEvents:
    """Hands Slack's requests to Bolt.

    Bolt reads any form that contains the word "payload" as an interactive request, and raises on a malformed
    timestamp or signature; so the request is verified and parsed here, once, and Bolt gets the result.
    """

    def __init__(self, dispatch: Dispatch, signing_secret: str, clock: Clock) -> None:
        self._dispatch = dispatch
        self._verifier = SignatureVerifier(signing_secret, clock=_SlackClock(clock))

    async def answer(self, request: Request) -> Response:
        """Answer one request: 401 where it is not Slack's, 413 if it is too large, 400 if it is broken."""
        try:
            raw = await read_body(request, LARGEST_BODY)
            self._verify(raw, request.headers)
            body = parse(raw, request.headers.get("content-type", ""))
        except BodyTooLarge:
            return PlainTextResponse("too large", 413)
        except NotFromSlack:
            return PlainTextResponse("not signed by Slack", 401)
        except (ValueError, ClientDisconnect):
            return PlainTextResponse("not understood", 400)
        if body.get("ssl_check") == "1":
            return Response()
        if body.get("type") == "url_verification":
            return JSONResponse({"challenge": body.get("challenge")})
        acknowledgement = await self._dispatch(body)
        return Response(
            acknowledgement.body,
            acknowledgement.status,
            headers={"content-type": acknowledgement.content_type},
        )

    def _verify(self, raw: bytes, headers: Mapping[str, str]) -> None:
        signature = headers.get("x-slack-signature", "")
        timestamp = headers.get("x-slack-request-timestamp", "")
        # the verifier itself raises on a timestamp that is no number and on a signature beyond ASCII
        if not (_TIMESTAMP.fullmatch(timestamp) and signature.isascii()):
            raise NotFromSlack
        try:
            verified = self._verifier.is_valid(raw.decode(), timestamp, signature)
        except UnicodeDecodeError:
            raise NotFromSlack from None
        if not verified:
            raise NotFromSlack


class _SlackClock(VerifierClock):
    """The app's clock as Slack's verifier reads it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock().timestamp()


def parse(raw: bytes, content_type: str) -> dict[str, Any]:
    """Return what a body says, of a form with a payload the payload; raises `ValueError`."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        return _object(json.loads(raw))
    form = dict(query_to_pairs(raw.decode(), max_fields=MOST_FIELDS))  # a tenth of what urllib.parse takes
    return _object(json.loads(form["payload"])) if "payload" in form and "command" not in form else dict(form)


def _object(parsed: object) -> dict[str, Any]:
    if not isinstance(parsed, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the caller answers 400 to any of these
    return parsed

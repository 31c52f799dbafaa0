"""Responses of the fake X under each fault: wrong, late, or none at all."""

import asyncio
import contextlib
import gzip
import json
from datetime import timedelta
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.x.faults import Fault
from sandbox.x.rate_limits import rate_limit_headers
from sandbox.x.serializers import AsciiJSONResponse, serialize_error
from sandbox.x.state import XState

OVERSIZED_BYTES = 2**21

CLOSE_CONNECTION = "sandbox.close_connection"
"""Key of a request's scope that holds the function which closes its connection."""


def build_response(fault: Fault, x: XState, path: str, regular: Response) -> Response:
    """Return the response under a fault; `regular` is empty if X did not process the request."""
    match fault:
        case Fault.SLOW:
            return DelayedResponse(regular, x.delay_seconds)
        case Fault.HANG | Fault.HANG_AFTER:
            return NoResponse()
        case Fault.RESET | Fault.RESET_AFTER:
            return ClosedConnection()
        case Fault.TRUNCATED | Fault.OVERSIZED | Fault.IDS_MISSING:
            return _alter(fault, bytes(regular.body))
        case Fault.MESSAGE_REQUEST:
            x.messages.sent[-1].is_request = True
            return regular
    return _build_error(fault, x, path)


def _alter(fault: Fault, body: bytes) -> Response:
    match fault:
        case Fault.TRUNCATED:
            return Response(body[: len(body) // 2], media_type="application/json")
        case Fault.OVERSIZED:
            packed = gzip.compress(body + b" " * OVERSIZED_BYTES)
            return Response(packed, headers={"content-encoding": "gzip"}, media_type="application/json")
        case _:
            return AsciiJSONResponse(_remove_ids(json.loads(body)))


def _build_error(fault: Fault, x: XState, path: str) -> Response:
    faulty = fault.value
    status = faulty.status or 200
    if faulty.body is not None:
        media_type = "text/html" if faulty.body.startswith("<") else "application/json"
        return Response(faulty.body, status, media_type=media_type)
    body = serialize_error(path, status, faulty.code, faulty.message, faulty.problem)
    return AsciiJSONResponse(body, status, _build_headers(fault, x))


def _build_headers(fault: Fault, x: XState) -> dict[str, str]:
    resets_at = x.clock() + timedelta(seconds=x.limit_reset_seconds)
    match fault:
        case Fault.ENHANCE_YOUR_CALM:
            return {"retry-after": str(x.limit_reset_seconds)}
        case Fault.RATE_LIMITED:
            return rate_limit_headers("x-rate-limit", 15, 0, resets_at)
        case Fault.DAILY_LIMIT:
            return rate_limit_headers("x-user-limit-24hour", 1_000, 0, resets_at)
        case Fault.APP_DAILY_LIMIT:
            return rate_limit_headers("x-app-limit-24hour", 1_440, 0, resets_at)
    return {}


def _remove_ids(body: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if not isinstance(body, dict):
        return body
    return {
        name: _remove_ids(value) for name, value in body.items() if name != "id" and not name.endswith("_id")
    }


class DelayedResponse(Response):
    """Send the regular response after `seconds`, or as soon as the client disconnects."""

    def __init__(self, regular: Response, seconds: float) -> None:
        super().__init__()
        self.raw_headers = regular.raw_headers
        self._regular = regular
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then respond."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await _wait_for_disconnect(receive)
        await self._regular(scope, receive, send)


class NoResponse(Response):
    """Never respond; end when the client disconnects."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Wait for the client to disconnect."""
        await _wait_for_disconnect(receive)


class ClosedConnection(Response):
    """Close the connection without a response."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Close the connection; raise ConnectionResetError if the server has none to close."""
        if CLOSE_CONNECTION not in scope:
            raise ConnectionResetError("X closed the connection.")
        scope[CLOSE_CONNECTION]()
        await _wait_for_disconnect(receive)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

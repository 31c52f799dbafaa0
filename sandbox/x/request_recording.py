"""Record every request to the fake X, and show it in the traffic."""

import json
import time
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.x.faulty_responses import CLOSE_CONNECTION
from sandbox.x.recorded_request import FORM_CONTENT_TYPE, JSON_CONTENT_TYPE, RecordedRequest
from sandbox.x.state import XState

CUSTOMER_PATHS = ("/1.1/feedback/submit/", "/1.1/feedback/dismiss/")
"""Paths called by the customer's phone instead of the app."""


class RecordingMiddleware:
    """Record requests; routes find the recorded one as `request.state.recorded`."""

    def __init__(self, app: ASGIApp, x: XState) -> None:
        self._app = app
        self._x = x

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        started = time.perf_counter()
        recorded = _read_request(scope, await Request(scope, receive).body(), self._x)
        self._x.requests.append(recorded)
        scope.setdefault("state", {})["recorded"] = recorded
        _store_connection(scope, send)
        body = bytearray()

        async def record_response(message: Message) -> None:
            recorded.status = message.get("status", recorded.status)
            body.extend(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, record_response)
        finally:
            self._add_to_traffic(recorded, (time.perf_counter() - started) * 1000, bytes(body))

    def _add_to_traffic(self, recorded: RecordedRequest, milliseconds: float, body: bytes) -> None:
        self._x.traffic.record(
            at=recorded.at,
            sender="person" if recorded.path.startswith(CUSTOMER_PATHS) else "app",
            receiver="x",
            title=f"{recorded.method} {_shorten_path(recorded.path)}",
            status=str(recorded.status or "no response"),
            milliseconds=milliseconds,
            request=json.dumps(recorded.json or recorded.params, ensure_ascii=False),
            response=body.decode(errors="replace"),
        )


def _read_request(scope: Scope, body: bytes, x: XState) -> RecordedRequest:
    headers = Headers(scope=scope)
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_form = content_type == FORM_CONTENT_TYPE
    return RecordedRequest(
        method=scope["method"],
        path=scope["path"],
        url=_build_url(scope["scheme"], headers.get("host", ""), path),
        query=parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        form=parse_qsl(body.decode(errors="replace"), keep_blank_values=True) if is_form else [],
        content_type=content_type,
        authorization=headers.get("authorization"),
        at=x.clock(),
        json=_parse_json(body) if content_type == JSON_CONTENT_TYPE else None,
    )


def _parse_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _build_url(scheme: str, host: str, path: str) -> str:
    default_port = {"http": ":80", "https": ":443"}[scheme]
    return f"{scheme}://{host.lower().removesuffix(default_port)}{path}"


def _store_connection(scope: Scope, send: Send) -> None:
    """Keep the server's connection in the scope, since ASGI has no message for closing it."""
    connection = getattr(getattr(send, "__self__", None), "transport", None)
    if connection is not None:
        scope[CLOSE_CONNECTION] = connection.abort


def _shorten_path(path: str) -> str:
    return path.removeprefix("/1.1/").removeprefix("/2/").removesuffix(".json")

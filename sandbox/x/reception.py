"""The way in: every request is read, written down, answered by the routes, and shown in the traffic."""

import json
import time
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.x.calls import FORM, Call
from sandbox.x.misbehaviour import HANG_UP
from sandbox.x.world import World

PHONE = ("/1.1/feedback/submit/", "/1.1/feedback/dismiss/")
"""What the customer's phone calls, not the app."""


class Reception:
    """An ASGI app around the routes, which find the request as `request.state.call`."""

    def __init__(self, routes: ASGIApp, world: World) -> None:
        self._routes = routes
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request from reading it to showing it."""
        began = time.perf_counter()
        call = _read(scope, await Request(scope, receive).body(), self._world)
        self._world.requests.append(call)
        scope.setdefault("state", {})["call"] = call
        _remember_the_connection(scope, send)
        said = bytearray()

        async def listening(message: Message) -> None:
            call.status = message.get("status", call.status)
            said.extend(message.get("body", b""))
            await send(message)

        try:
            await self._routes(scope, receive, listening)
        finally:
            self._show(call, (time.perf_counter() - began) * 1000, bytes(said))

    def _show(self, call: Call, milliseconds: float, answer: bytes) -> None:
        self._world.traffic.record(
            at=call.at,
            sender="person" if call.path.startswith(PHONE) else "app",
            receiver="x",
            title=f"{call.method} {_short(call.path)}",
            status=str(call.status or "no answer"),
            milliseconds=milliseconds,
            request=json.dumps(call.params, ensure_ascii=False, indent=2),
            response=answer.decode(errors="replace"),
        )


def _read(scope: Scope, body: bytes, world: World) -> Call:
    headers = Headers(scope=scope)
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Call(
        method=scope["method"],
        path=scope["path"],
        url=_address(scope["scheme"], headers.get("host", ""), path),
        query=parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        form=parse_qsl(body.decode(errors="replace"), keep_blank_values=True) if content_type == FORM else [],
        content_type=content_type,
        authorization=headers.get("authorization"),
        at=world.clock(),
    )


def _address(scheme: str, host: str, path: str) -> str:
    port = {"http": ":80", "https": ":443"}[scheme]
    return f"{scheme}://{host.lower().removesuffix(port)}{path}"


def _remember_the_connection(scope: Scope, send: Send) -> None:
    """Keep hold of the server's connection: ASGI itself has no word for closing it."""
    connection = getattr(getattr(send, "__self__", None), "transport", None)
    if connection is not None:
        scope[HANG_UP] = connection.abort


def _short(path: str) -> str:
    return path.removeprefix("/1.1/").removeprefix("/2/").removesuffix(".json")

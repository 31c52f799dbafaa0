"""How each trouble looks from outside: wrong answers, late ones, and none."""

import asyncio
import contextlib
import json
from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.x.quota import limits
from sandbox.x.trouble import Trouble
from sandbox.x.wire import error
from sandbox.x.world import World

HANG_UP = "sandbox.hang_up"
"""Where a request's scope keeps the function that closes its connection."""


def misbehaving(trouble: Trouble, world: World, path: str, own: Response) -> Response:
    """Put `trouble` in the place of X's own answer, which is empty where X did nothing."""
    match trouble:
        case Trouble.SLOW:
            return Late(own, world.delay)
        case Trouble.HANG | Trouble.HANG_AFTER:
            return Silent()
        case Trouble.RESET | Trouble.RESET_AFTER:
            return Cut()
        case Trouble.TRUNCATED:
            return Response(own.body[: len(own.body) // 2], media_type="application/json")
        case Trouble.IDS_MISSING:
            return JSONResponse(_without_ids(json.loads(bytes(own.body))))
    return _failing(trouble, world, path)


def _failing(trouble: Trouble, world: World, path: str) -> Response:
    manner = trouble.value
    status = manner.status or 200
    if manner.body is not None:
        media_type = "text/html" if manner.body.startswith("<") else "application/json"
        return Response(manner.body, status, media_type=media_type)
    return JSONResponse(error(path, status, manner.code, manner.message), status, _headers(trouble, world))


def _headers(trouble: Trouble, world: World) -> dict[str, str]:
    if trouble is Trouble.ENHANCE_YOUR_CALM:
        return {"retry-after": str(world.reset_after)}
    reset = world.clock() + timedelta(seconds=world.reset_after)
    pretended = {
        Trouble.RATE_LIMITED: ("x-rate-limit", 15),
        Trouble.DAILY_LIMIT: ("x-user-limit-24hour", 1_000),
    }
    if trouble not in pretended:
        return {}
    prefix, limit = pretended[trouble]
    return limits(prefix, limit, 0, reset)


def _without_ids(body: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if not isinstance(body, dict):
        return body
    return {
        name: _without_ids(value) for name, value in body.items() if name != "id" and not name.endswith("_id")
    }


class Late(Response):
    """Answers after `delay` seconds, or never if the client left before."""

    def __init__(self, own: Response, delay: float) -> None:
        super().__init__()
        self.raw_headers = own.raw_headers
        self._own = own
        self._delay = delay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then answer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._delay):
                await _client_left(receive)
        await self._own(scope, receive, send)


class Silent(Response):
    """Never answers, and ends when the client leaves."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's own
        """Wait for the client to leave."""
        await _client_left(receive)


class Cut(Response):
    """Closes the connection without a word."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's own
        """Close the connection, or raise where there is none to close."""
        if HANG_UP not in scope:
            raise ConnectionResetError("X closed the connection.")
        scope[HANG_UP]()
        await _client_left(receive)


async def _client_left(receive: Receive) -> None:
    left = False
    while not left:
        left = (await receive())["type"] == "http.disconnect"

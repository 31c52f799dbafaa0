"""A server whose answers a test chooses, and the bad answers that an API behind proxies can give."""

import contextlib
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

from aiohttp import web

JSON_HEADERS: Mapping[str, str] = {"content-type": "application/json; charset=utf-8"}
PAGE = b"<!DOCTYPE html><title>Over capacity</title>"


class Answer(NamedTuple):
    """A response; with `reset`, the connection is closed instead."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = JSON_HEADERS
    reset: bool = False


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer in JSON."""
    return Answer(json.dumps(value).encode(), status, {**JSON_HEADERS, **(headers or {})})


UNREADABLE = {
    "a list": json_answer([1, {"ok": True}]),
    "a text": json_answer("ok"),
    "a number": json_answer(5),
    "null": json_answer(None),
    "true": json_answer(value=True),
    "half of a JSON object": Answer(b'{"ok": true, "user'),
    "deeply nested JSON": Answer(b"[" * 100_000),
    "not UTF-8": Answer(b'{"ok": "\xff\xfe"}'),
    "nothing": Answer(),
    "an HTML page": Answer(PAGE, headers={"content-type": "text/html"}),
    "an HTML page called JSON": Answer(PAGE),
    "plain text": Answer(b"ok", headers={"content-type": "text/plain"}),
    "bytes": Answer(b"\x00\x01", headers={"content-type": "application/gzip"}),
    "packed nonsense": Answer(b"not gzip", headers={**JSON_HEADERS, "content-encoding": "gzip"}),
    "half of a packed object": Answer(
        gzip.compress(b'{"ok": true}')[:12], headers={**JSON_HEADERS, "content-encoding": "gzip"}
    ),
    "an unknown charset": Answer(b'{"ok"', headers={"content-type": "application/json; charset=klingon"}),
    "a page that is not found": Answer(PAGE, 404, {"content-type": "text/html"}),
    "a redirect to nowhere": Answer(status=302, headers={"location": "http://["}),
    "an endless redirect": Answer(status=302, headers={"location": "?again"}),
    "429": Answer(status=429, headers={"retry-after": "30"}),
    "429 with an endless wait": Answer(status=429, headers={"retry-after": "9" * 400}),
    "500": Answer(b"Internal Server Error", 500, {"content-type": "text/plain"}),
    "503 with a page": Answer(PAGE, 503, {"content-type": "text/html"}),
    "a reset connection": Answer(reset=True),
}
"""Answers that hold no JSON object, or no success, whatever was asked."""


@contextlib.asynccontextmanager
async def answering_server(
    answers: Mapping[str, Answer], requested: list[str] | None = None
) -> AsyncIterator[str]:
    """Serve answers by their paths until the block ends, and yield the base URL.

    Each path that is requested is appended to `requested`.
    """

    async def handle(request: web.Request) -> web.Response:
        if requested is not None:
            requested.append(request.path)
        answer = answers.get(request.path, Answer(status=404))
        if answer.reset and request.transport:
            request.transport.abort()
        return web.Response(body=answer.body, status=answer.status, headers=answer.headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()

"""A stub of Slack's Web API and of X, in a process of its own.

It responds with success after a given latency, and records each call: its path, its time of arrival and its
contents. These are checked after the run, so that the checks don't slow it down.

Run as `python -m bench.slack_and_x_stub FILE_DESCRIPTOR`. Over that socket it sends lines of JSON: its port,
then `[path, key, nanoseconds]` for each call; and it receives commands (see `Stub._run_command`).
"""

import asyncio
import json
import re
import socket
import sys
import time
from functools import partial
from typing import Any, NamedTuple, cast

import uvloop

from bench.http1_parser import Message, Parser
from bench.made_up_values import CHANNEL, KEY_PATTERN, TEAM, USER

AUTH_TEST = "/api/auth.test"
USERS_INFO = "/api/users.info"
CHANNEL_INFO = "/api/conversations.info"
VIEWS_OPEN = "/api/views.open"
POST_MESSAGE = "/api/chat.postMessage"
POST_EPHEMERAL = "/api/chat.postEphemeral"
CREATE = "/1.1/feedback/create.json"
SHOW = "/1.1/feedback/show/"
ME = "/2/users/me"

_KEY = re.compile(KEY_PATTERN)
_AUTHORIZATION = re.compile(rb"\r\nauthorization: *([^\r]*)", re.IGNORECASE)
_DATE_FORMAT = "%a %b %d %H:%M:%S +0000 %Y"

_RESPONSES: dict[str, dict[str, Any]] = {
    AUTH_TEST: {
        "ok": True,
        "url": "https://bench.slack.com/",
        "team": "Bench",
        "user": "csat",
        "team_id": TEAM,
        "user_id": "U0BOT0000",
        "bot_id": "B0BOT0000",
    },
    USERS_INFO: {"ok": True, "user": {"id": USER, "team_id": TEAM, "name": "ada", "deleted": False}},
    CHANNEL_INFO: {"ok": True, "channel": {"id": CHANNEL, "is_private": False, "is_ext_shared": False}},
    VIEWS_OPEN: {"ok": True},
    POST_MESSAGE: {
        "ok": True,
        "channel": CHANNEL,
        "ts": "1700000000.000100",
        "message": {"type": "message", "user": "U0BOT0000", "bot_id": "B0BOT0000", "text": "Sent."},
    },
    POST_EPHEMERAL: {"ok": True, "message_ts": "1700000000.000200"},
    ME: {"data": {"id": "370773112", "name": "Northwind", "username": "northwind"}},
}


class Call(NamedTuple):
    """A received request."""

    path: str
    key: str
    at: int
    """Nanoseconds."""
    authorization: str
    body: str


class Stub:
    """Record, report and answer calls.

    Args:
        control: the socket to the load generator.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._latency_seconds = 0.0
        self._calls: list[Call] = []
        self._responses = {
            path: _json_response(json.dumps(body).encode()) for path, body in _RESPONSES.items()
        }

    async def run(self) -> None:
        """Serve until the control socket is closed."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: StubConnection(self), "127.0.0.1", 0, backlog=1024)
        reader, writer = await asyncio.open_connection(sock=self._control, limit=2**20)
        self._write = writer.write
        self._send(server.sockets[0].getsockname()[1])
        while line := await reader.readline():
            self._run_command(json.loads(line))
        server.close()

    def handle(self, request: Message, transport: asyncio.Transport) -> None:
        """Record a request, and respond after the latency."""
        at = time.perf_counter_ns()
        path = request.head.split(b" ", 2)[1].partition(b"?")[0].decode()
        key_match = _KEY.search(request.body)
        key = key_match[0].decode() if key_match else ""
        header = _AUTHORIZATION.search(request.head)
        authorization = header[1].decode() if header else ""
        self._calls.append(Call(path, key, at, authorization, request.body.decode()))
        if key:
            self._send([path, key, at])
        response = self._build_response(path, key)
        if self._latency_seconds:
            respond = partial(_respond, transport, response)
            asyncio.get_running_loop().call_later(self._latency_seconds, respond)
        else:
            transport.write(response)

    def _build_response(self, path: str, key: str) -> bytes:
        if path == CREATE:
            return _feedback(key)
        if path.startswith(SHOW):
            return _feedback(path.removeprefix(SHOW).removesuffix(".json"))
        return self._responses.get(path, _json_response(b'{"ok": false}'))

    def _send(self, message: object) -> None:
        self._write(json.dumps(message).encode() + b"\n")

    def _run_command(self, command: dict[str, Any]) -> None:
        """Set the latency, set the view that views.open returns, or send and forget the recorded calls."""
        if "latency_seconds" in command:
            self._latency_seconds = command["latency_seconds"]
        if "view" in command:
            body = json.dumps({"ok": True, "view": command["view"]})
            self._responses[VIEWS_OPEN] = _json_response(body.encode())
        if "collect" in command:
            calls, self._calls = self._calls, []
            self._send({"calls": calls})


class StubConnection(asyncio.Protocol):
    """A connection of an app."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._parser = Parser()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Handle each complete request."""
        for request in self._parser.feed(data):
            self._stub.handle(request, self._transport)


def _respond(transport: asyncio.Transport, response: bytes) -> None:
    if not transport.is_closing():
        transport.write(response)


def _feedback(key: str) -> bytes:
    """Return X's response for feedback without a rating."""
    now = time.strftime(_DATE_FORMAT, time.gmtime())
    feedback = {
        "id": key,
        "dm_id": key,
        "type": "csat",
        "to_user_id": key,
        "from_user_id": "370773112",
        "question_variant_id": 0,
        "created_at": now,
        "updated_at": now,
    }
    return _json_response(json.dumps(feedback).encode())


def _json_response(body: bytes) -> bytes:
    """Return a keep-alive response with a JSON body."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


if __name__ == "__main__":
    uvloop.run(Stub(socket.socket(fileno=int(sys.argv[1]))).run())

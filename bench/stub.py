"""Slack's Web API and X, as far as the journey calls them, in a process of its own.

It answers after a given latency, always with success, and notes each call: what was called, when the whole
request had arrived, and what it said. Whether that was right is looked at after a run, so that it takes no
time from it. Started as `python -m bench.stub <file descriptor>`; over that socket it tells in lines of JSON
its port and then each call's `[name, key, nanoseconds]`, and takes orders.
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

from bench.fixtures import CHANNEL, KEY, TEAM, USER
from bench.http1 import Message, Reader, answer

AUTH_TEST = "/api/auth.test"
USERS_INFO = "/api/users.info"
VIEWS_OPEN = "/api/views.open"
POST_MESSAGE = "/api/chat.postMessage"
CREATE = "/1.1/feedback/create.json"
SHOW = "/1.1/feedback/show/"
ME = "/2/users/me"

_KEY = re.compile(KEY)
_AUTHORIZATION = re.compile(rb"\r\nauthorization: *([^\r]*)", re.IGNORECASE)
_DATE = "%a %b %d %H:%M:%S +0000 %Y"

_FIXED: dict[str, dict[str, Any]] = {
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
    VIEWS_OPEN: {"ok": True},
    POST_MESSAGE: {
        "ok": True,
        "channel": CHANNEL,
        "ts": "1700000000.000100",
        "message": {"type": "message", "user": "U0BOT0000", "bot_id": "B0BOT0000", "text": "Told."},
    },
    ME: {"data": {"id": "370773112", "name": "Northwind", "username": "northwind"}},
}


class Call(NamedTuple):
    """A request that arrived."""

    path: str
    key: str
    at: int
    authorization: str
    body: str


class Stub:
    """Notes every call, tells of it, and answers."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._latency = 0.0
        self._calls: list[Call] = []
        self._answers = {path: answer(json.dumps(body).encode()) for path, body in _FIXED.items()}

    async def run(self) -> None:
        """Serve until the other side of the channel is closed."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Door(self), "127.0.0.1", 0, backlog=1024)
        reader, writer = await asyncio.open_connection(sock=self._channel, limit=2**20)
        self._write = writer.write
        self._tell(server.sockets[0].getsockname()[1])
        while line := await reader.readline():
            self._obey(json.loads(line))
        server.close()

    def take(self, request: Message, transport: asyncio.Transport) -> None:
        """Note a request, and answer it when its time has come."""
        at = time.perf_counter_ns()
        path = request.head.split(b" ", 2)[1].partition(b"?")[0].decode()
        found = _KEY.search(request.body)
        key = found[0].decode() if found else ""
        authorization = _AUTHORIZATION.search(request.head)
        said = authorization[1].decode() if authorization else ""
        self._calls.append(Call(path, key, at, said, request.body.decode()))
        if key:
            self._tell([path, key, at])
        if path == CREATE:
            reply = _feedback(key)
        elif path.startswith(SHOW):
            reply = _feedback(path.removeprefix(SHOW).removesuffix(".json"))
        else:
            reply = self._answers.get(path, answer(b'{"ok": false}'))
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, partial(_reply, transport, reply))
        else:
            transport.write(reply)

    def _tell(self, what: object) -> None:
        self._write(json.dumps(what).encode() + b"\n")

    def _obey(self, order: dict[str, Any]) -> None:
        if "latency" in order:
            self._latency = order["latency"]
        if "view" in order:
            opened = json.dumps({"ok": True, "view": order["view"]})
            self._answers[VIEWS_OPEN] = answer(opened.encode())
        if "collect" in order:
            collected, self._calls = self._calls, []
            self._tell({"calls": collected})


class Door(asyncio.Protocol):
    """One connection."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._reader = Reader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on every whole request."""
        for request in self._reader.feed(data):
            self._stub.take(request, self._transport)


def _reply(transport: asyncio.Transport, reply: bytes) -> None:
    if not transport.is_closing():
        transport.write(reply)


def _feedback(key: str) -> bytes:
    """Answer with a survey that nobody has answered yet."""
    now = time.strftime(_DATE, time.gmtime())
    fields = {
        "id": key,
        "dm_id": key,
        "type": "csat",
        "to_user_id": key,
        "from_user_id": "370773112",
        "question_variant_id": 0,
        "created_at": now,
        "updated_at": now,
    }
    return answer(json.dumps(fields).encode())


if __name__ == "__main__":
    uvloop.run(Stub(socket.socket(fileno=int(sys.argv[1]))).run())

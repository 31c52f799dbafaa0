"""Socket Mode: deliveries over WebSockets, each to one of at most ten connections."""

import asyncio
import json
import secrets
from collections import deque
from http import HTTPStatus

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.pubsub import PubSub
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.faults import SOCKET, Faults, InjectedError

MOST = 10
LIFETIME = 18_060
"""What Slack says how many seconds a connection lasts, about."""


class Sockets:
    """The app's open connections, and the acknowledgements that are awaited."""

    def __init__(self, app_id: str, pubsub: PubSub, faults: Faults) -> None:
        self.open: deque[WebSocket] = deque()
        self._app_id = app_id
        self._pubsub = pubsub
        self._troubles = faults
        self._frozen: set[WebSocket] = set()
        self._tickets: set[str] = set()
        self._awaited: dict[str, deque[asyncio.Future[Json]]] = {}

    def ticket(self) -> str:
        """Return what serves for one handshake."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    async def connect(self, socket: WebSocket) -> None:
        """Say hello to who has a ticket, and hear acknowledgements until the connection ends."""
        try:
            await self._admit(socket.query_params.get("ticket", ""))
        except SlackError as refused:
            await socket.send_denial_response(_denial(refused))
            return
        await socket.accept()
        if len(self.open) >= MOST:
            await self._say_goodbye(socket, "too_many_websockets")
            return
        self.open.append(socket)
        await socket.send_json(self._hello())
        self._pubsub.publish("traffic")
        await self._hear(socket)

    async def send(self, envelope: Json) -> Json:
        """Send an envelope to the next connection and return what it is acknowledged with.

        `SlackError("dispatch_failed")` when there is none.
        """
        if not self.open:
            raise SlackError("dispatch_failed")
        acknowledged: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        awaited = self._awaited.setdefault(envelope["envelope_id"], deque())
        awaited.append(acknowledged)
        try:
            await self._next().send_json(envelope)
            return await acknowledged
        except WebSocketDisconnect as gone:
            raise SlackError("dispatch_failed") from gone
        finally:
            if acknowledged in awaited:
                awaited.remove(acknowledged)

    async def disconnect(self, reason: str) -> None:
        """Say `disconnect` on every connection that is not frozen, and close it."""
        for socket in [socket for socket in self.open if socket not in self._frozen]:
            self.open.remove(socket)
            await self._say_goodbye(socket, reason)
        self._pubsub.publish("traffic")

    def freeze(self) -> None:
        """Let every open connection fall silent."""
        for socket in self.open:
            socket.state.line.freeze()
            self._frozen.add(socket)

    def thaw(self) -> None:
        """Let every connection that is frozen go on."""
        while self._frozen:
            self._frozen.pop().state.line.thaw()

    async def _admit(self, ticket: str) -> None:
        known = ticket in self._tickets
        self._tickets.discard(ticket)
        await self._troubles.apply(SOCKET)
        if not known:
            raise SlackError("invalid_ticket")

    def _next(self) -> WebSocket:
        self.open.rotate(-1)
        return self.open[-1]

    async def _hear(self, socket: WebSocket) -> None:
        try:
            async for text in socket.iter_text():
                self._acknowledge(json.loads(text))
        except (WebSocketDisconnect, json.JSONDecodeError):
            pass
        finally:
            if socket in self.open:
                self.open.remove(socket)
            self._frozen.discard(socket)
            self._pubsub.publish("traffic")

    def _acknowledge(self, ack: Json) -> None:
        awaited = self._awaited.get(ack.get("envelope_id", ""))
        if awaited:
            acknowledged = awaited.popleft()
            if not acknowledged.done():
                acknowledged.set_result(ack.get("payload") or {})

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.open),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": "applink-sandbox", "approximate_connection_time": LIFETIME},
        }

    @staticmethod
    async def _say_goodbye(socket: WebSocket, reason: str) -> None:
        debug_info = {"host": "applink-sandbox"}
        await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": debug_info})
        await socket.close()


def _denial(refused: SlackError) -> PlainTextResponse:
    status, headers = HTTPStatus.FORBIDDEN, dict[str, str]()
    if isinstance(refused, InjectedError) and refused.status != HTTPStatus.OK:
        status, headers = HTTPStatus(refused.status), refused.headers
    return PlainTextResponse(status.phrase, status, headers)

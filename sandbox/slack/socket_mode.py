"""Socket Mode: up to ten WebSocket connections, which receive deliveries in turn."""

import asyncio
import json
import secrets
from collections import deque
from http import HTTPStatus

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from sandbox.pubsub import PubSub
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import SOCKET, Faults, InjectedError
from sandbox.slack.json_types import Json

MAX_CONNECTIONS = 10
CONNECTION_SECONDS = 18_060
"""The approximate lifetime of a connection that Slack announces."""
HOST = "applink-sandbox"


class SocketMode:
    """The app's open connections, and the deliveries that it has not acknowledged yet."""

    def __init__(self, app_id: str, pubsub: PubSub, faults: Faults) -> None:
        self.connections: deque[WebSocket] = deque()
        self._app_id = app_id
        self._pubsub = pubsub
        self._faults = faults
        self._frozen: set[WebSocket] = set()
        self._tickets: set[str] = set()
        self._pending: dict[str, deque[asyncio.Future[Json]]] = {}

    def issue_ticket(self) -> str:
        """Return a ticket for one handshake."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    async def handle_connection(self, socket: WebSocket) -> None:
        """Accept a connection that has a ticket, and receive acknowledgements until it ends."""
        try:
            await self._check_ticket(socket.query_params.get("ticket", ""))
        except SlackError as error:
            await socket.send_denial_response(_denial_response(error))
            return
        await socket.accept()
        if len(self.connections) >= MAX_CONNECTIONS:
            await self._disconnect(socket, "too_many_websockets")
            return
        self.connections.append(socket)
        await socket.send_json(self._hello())
        self._pubsub.publish("traffic")
        await self._receive(socket)

    async def send(self, envelope: Json) -> Json:
        """Send an envelope over the next connection, and return the payload of its acknowledgement.

        Raises `SlackError("dispatch_failed")` if there is no connection.
        """
        if not self.connections:
            raise SlackError("dispatch_failed")
        acknowledged: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        pending = self._pending.setdefault(envelope["envelope_id"], deque())
        pending.append(acknowledged)
        try:
            await self._next_connection().send_json(envelope)
            return await acknowledged
        except (WebSocketDisconnect, WebSocketDisconnected) as error:
            raise SlackError("dispatch_failed") from error
        finally:
            if acknowledged in pending:
                pending.remove(acknowledged)

    async def disconnect(self, reason: str) -> None:
        """Send `disconnect` over every connection that is not frozen, and close it."""
        for socket in [socket for socket in self.connections if socket not in self._frozen]:
            self.connections.remove(socket)
            await self._disconnect(socket, reason)
        self._pubsub.publish("traffic")

    def freeze(self) -> None:
        """Freeze every open connection."""
        for socket in self.connections:
            socket.state.protocol.freeze()
            self._frozen.add(socket)

    def thaw(self) -> None:
        """Thaw every frozen connection."""
        while self._frozen:
            self._frozen.pop().state.protocol.thaw()

    async def _check_ticket(self, ticket: str) -> None:
        is_known = ticket in self._tickets
        self._tickets.discard(ticket)
        await self._faults.apply(SOCKET)
        if not is_known:
            raise SlackError("invalid_ticket")

    def _next_connection(self) -> WebSocket:
        self.connections.rotate(-1)
        return self.connections[-1]

    async def _receive(self, socket: WebSocket) -> None:
        try:
            async for text in socket.iter_text():
                self._acknowledge(json.loads(text))
        except (WebSocketDisconnect, json.JSONDecodeError):
            pass
        finally:
            if socket in self.connections:
                self.connections.remove(socket)
            self._frozen.discard(socket)
            self._pubsub.publish("traffic")

    def _acknowledge(self, message: Json) -> None:
        pending = self._pending.get(message.get("envelope_id", ""))
        if pending:
            acknowledged = pending.popleft()
            if not acknowledged.done():
                acknowledged.set_result(message.get("payload") or {})

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": HOST, "approximate_connection_time": CONNECTION_SECONDS},
        }

    @staticmethod
    async def _disconnect(socket: WebSocket, reason: str) -> None:
        await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}})
        await socket.close()


def _denial_response(error: SlackError) -> PlainTextResponse:
    status, headers = HTTPStatus.FORBIDDEN, dict[str, str]()
    if isinstance(error, InjectedError) and error.status != HTTPStatus.OK:
        status, headers = HTTPStatus(error.status), error.headers
    return PlainTextResponse(status.phrase, status, headers)

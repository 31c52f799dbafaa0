"""Slack's Socket Mode, made to come back whatever happens to a connection."""

import asyncio
import json
import logging
import time
from http import HTTPStatus

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from csat.slack_api.acknowledgement import Dispatch
from csat.slack_api.errors import SlackError, as_slack_error
from csat.tasks import BackgroundTasks

PING = 5
"""Seconds between two signs of life; after four of them without an answer the socket counts as gone."""
CLOSING = 1.0
"""Seconds for Slack to answer when the socket is closed."""
ANSWERING = 2.5
"""Seconds for requests that are under way when the app stops: Slack waits for three."""

log = logging.getLogger(__name__)


class Socket(SocketModeClient):
    """The SDK's client with a fresh address for each handshake: Slack's tickets work once, and are secret.

    The SDK would repeat a handshake that failed with the ticket it has used up, and log that ticket.
    """

    async def connect(self) -> None:
        """Connect, over and over until it works or the client is closed."""
        while not self.closed:
            try:
                await self._shake_hands()
            except (SlackError, aiohttp.ClientError, OSError, TimeoutError) as error:
                self.wss_uri = None
                log.warning("No socket to Slack yet (%s)", type(error).__name__)
                await asyncio.sleep(self.ping_interval)
            else:
                return

    async def issue_new_wss_url(self) -> str:
        """Ask Slack for an address; raises `SlackError`."""
        with as_slack_error():
            answer = await self.web_client.apps_connections_open(app_token=self.app_token)
        return str(answer["url"])

    async def _shake_hands(self) -> None:
        self.auto_reconnect_enabled = False
        if self.current_session is not None:
            await self.current_session.close()
        self.wss_uri = self.wss_uri or await self.issue_new_wss_url()
        self.current_session = await self.aiohttp_client_session.ws_connect(
            self.wss_uri,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSING),
            autoping=False,
            heartbeat=self.ping_interval,
            proxy=self.proxy,
        )
        self.auto_reconnect_enabled, self.stale, self.last_ping_pong_time = True, False, None
        await self.current_session.ping(f"sdk-ping-pong:{time.time()}".encode())
        for task in (self.current_session_monitor, self.message_receiver):
            if task is not None:
                task.cancel()
        self.current_session_monitor = asyncio.ensure_future(self.monitor_current_session())
        self.message_receiver = asyncio.ensure_future(self.receive_messages())


class SocketMode:
    """Receive requests over a socket, and send their acknowledgements back.

    Args:
        dispatch: handles the payload of a request.
        app_token: Slack's app-level token.
        web: Slack's Web API.
    """

    def __init__(self, dispatch: Dispatch, app_token: str, web: AsyncWebClient) -> None:
        logger = logging.getLogger("slack_sdk.socket_mode")
        self._dispatch = dispatch
        self._socket = Socket(app_token, logger=logger, web_client=web, ping_interval=PING)
        self._socket.socket_mode_request_listeners.append(self._take)
        self._answering = BackgroundTasks()
        self._stopping = False

    async def connect(self) -> None:
        """Connect; returns once that worked."""
        await self._socket.connect()

    async def alive(self) -> bool:
        """Tell whether Slack answers on the socket."""
        return await self._socket.is_connected()

    async def close(self) -> None:
        """Answer what was taken, take nothing new, and close."""
        self._stopping = True
        await self._answering.finish(ANSWERING)
        await self._socket.close()  # type: ignore[no-untyped-call]

    async def _take(self, _client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        if not self._stopping:  # else Slack gives it to another connection, or the person tries again
            self._answering.start(self._answer(request), "answering Slack")

    async def _answer(self, request: SocketModeRequest) -> None:
        acknowledgement = await self._dispatch(request.payload)
        if acknowledgement.status != HTTPStatus.OK:
            return
        body = acknowledgement.body
        payload = json.loads(body) if body.startswith("{") else body or None
        try:
            await self._socket.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))
        except ConnectionError as error:  # Slack delivers it once more, or its person tries again
            log.warning("An answer to Slack was lost with its socket (%s)", type(error).__name__)

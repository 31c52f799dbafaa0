"""Slack's Socket Mode, with reconnects that survive any failed handshake."""

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

from csat.background_tasks import BackgroundTasks
from csat.problem_log import ProblemLog
from csat.slack_api.dispatch_interface import Dispatch
from csat.slack_api.error_explanations import explain
from csat.slack_api.errors import SlackError, as_slack_error, is_rejection
from csat.slack_api.responses import SocketUrl, parse_response
from csat.slack_api.web_client import WebClient

log = logging.getLogger(__name__)


class ReconnectingClient(SocketModeClient):
    """The SDK's client, with a new URL for each handshake: its ticket is secret, and works once.

    After a failed handshake the SDK would log the URL, and retry with it forever. Slack's `disconnect` and
    the end of its connection would each open a new one, and requests over the first of them would be lost.
    """

    web_client: WebClient
    problem = ""
    """Why the latest handshake failed; empty if it did not."""
    _replacement: asyncio.Task[None] | None = None

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - the SDK's
        """Replace the connection, or wait until the replacement in progress is connected."""
        if self._replacement is None or self._replacement.done():
            if await self.is_connected() and not force:
                return
            self._replacement = asyncio.create_task(self._replace_connection())
        await asyncio.shield(self._replacement)

    async def connect(self) -> None:
        """Connect, retrying until it works or the client is closed."""
        failures = ProblemLog(log, "Can't connect to Slack over Socket Mode, retrying: %s")
        while not self.closed:
            try:
                with as_slack_error():
                    await self._open_websocket()
            except (SlackError, OSError) as error:
                self.problem = _explain(error)
                failures.note(self.problem)
                await asyncio.sleep(self.ping_interval)
            else:
                self.problem = ""
                log.info("Connected to Slack over Socket Mode")
                return

    async def close(self) -> None:
        """Disconnect; a replacement in progress is given up first, or its connection would stay open."""
        self.closed = True
        tasks = (self._replacement, self.current_session_monitor, self.message_receiver)
        started = [task for task in tasks if task is not None]
        for task in started:
            task.cancel()
        await asyncio.gather(*started, return_exceptions=True)
        await super().close()  # type: ignore[no-untyped-call]

    async def issue_new_wss_url(self) -> str:
        """Return a new WebSocket URL (apps.connections.open); raises `SlackError`."""
        response = await self.web_client.apps_connections_open(app_token=self.app_token)
        return parse_response(SocketUrl, response).url

    async def _replace_connection(self) -> None:
        async with self.connect_operation_lock:  # the SDK waits for it before it sends a message again
            await self.connect()

    async def _open_websocket(self) -> None:
        self.auto_reconnect_enabled = False
        if self.current_session is not None:
            await self.current_session.close()
        url = await self.issue_new_wss_url()
        async with asyncio.timeout(self.web_client.timeouts.socket_handshake):
            self.current_session = await self.aiohttp_client_session.ws_connect(
                url,
                timeout=aiohttp.ClientWSTimeout(ws_close=self.web_client.timeouts.socket_close),
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


def _explain(error: SlackError | OSError) -> str:
    if not isinstance(error, SlackError):
        return type(error).__name__
    return f"SLACK_APP_TOKEN: {explain(error)}" if is_rejection(error) else explain(error)


class SocketMode:
    """Receive requests over a WebSocket and acknowledge them.

    Args:
        dispatch: handles the payload of a request.
        app_token: the app-level token.
        web: Slack's Web API.
    """

    def __init__(self, dispatch: Dispatch, app_token: str, web: WebClient) -> None:
        logger = logging.getLogger("slack_sdk.socket_mode")
        self._dispatch = dispatch
        self._web = web
        self._client = ReconnectingClient(
            app_token, logger=logger, web_client=web, ping_interval=web.timeouts.socket_ping
        )
        self._client.socket_mode_request_listeners.append(self._receive)
        self._tasks = BackgroundTasks()
        self._is_closing = False

    async def connect(self) -> None:
        """Connect, retrying until it works."""
        await self._client.connect_to_new_endpoint()

    async def find_problem(self) -> str | None:
        """Return why no request of Slack comes in, or `None` if Slack answers pings."""
        if await self._client.is_connected():
            return None
        return ": ".join(filter(None, ["not connected to Slack", self._client.problem]))

    async def close(self) -> None:
        """Acknowledge the requests in progress, then disconnect."""
        self._is_closing = True
        await self._tasks.finish(self._web.timeouts.socket_shutdown)
        await self._client.close()

    async def _receive(self, _client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        if not self._is_closing:  # Slack delivers others to another connection, or the user tries again
            self._tasks.start(self._acknowledge(request), "acknowledging a request from Slack")

    async def _acknowledge(self, request: SocketModeRequest) -> None:
        status, body, _ = await self._dispatch(request.payload)
        if status != HTTPStatus.OK:
            return
        payload = json.loads(body) if body.startswith("{") else body or None
        try:
            await self._client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))
        except ConnectionError as error:  # Slack delivers the request again, or the user tries again
            log.warning("An acknowledgement was lost with its connection (%s)", type(error).__name__)

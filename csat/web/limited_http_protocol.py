"""uvicorn's HTTP protocol, with limits on what a client can occupy before it is authenticated."""

import asyncio
from http import HTTPStatus
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from csat.timeouts import Timeouts

MAX_CONNECTIONS = 256
MAX_HEAD_BYTES = 64 * 1024
"""The request line and headers; the framing and trailers of a chunked body count too."""


class BoundedProtocol(HttpToolsProtocol):
    """Reject connections, heads and bodies that exceed the limits, and close their connections."""

    _deadline: asyncio.TimerHandle | None = None
    """When the rest of the request that is being received must have arrived."""
    _head_bytes = 0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        timeouts: Timeouts,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._timeouts = timeouts

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a connection if there are not too many; its first request must follow in time."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.access_log = (
            False  # paths can be secrets; uvicorn itself only asks whether its logger has handlers
        )
        if len(self.connections) > MAX_CONNECTIONS:
            self._reject(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._expect_within(self._timeouts.http_head)

    def data_received(self, data: bytes) -> None:
        """Parse a part of a request."""
        if self._deadline is None:
            self._expect_within(self._timeouts.http_head)
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Start handling the request; its body must follow in time."""
        self._expect_within(self._timeouts.http_body)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Store a part of the body, whose size its reader limits."""
        self._head_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request: nothing more is expected."""
        self._stop_waiting()
        self._head_bytes = 0
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _expect_within(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._reject, HTTPStatus.REQUEST_TIMEOUT)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _reject(self, status: HTTPStatus) -> None:
        """Respond with an error and close the connection; the request's handler sees a disconnect."""
        self._stop_waiting()
        if self.transport.is_closing():
            return
        if self.cycle is not None:
            self.cycle.disconnected = True
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(head.encode())
        self.transport.close()

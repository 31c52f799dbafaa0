"""The server side of a WebSocket, which can be frozen."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class FreezableWebSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket that can be frozen: it stays open, but neither receives nor sends anything.

    The ASGI app finds it as `websocket.state.protocol`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in uvicorn
        super().__init__(*args, **kwargs)
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._unread: list[bytes] = []

    def freeze(self) -> None:
        """Stop receiving and sending."""
        self._thawed.clear()
        self.stop_keepalive()

    def thaw(self) -> None:
        """Continue, starting with what was received in the meantime."""
        if self._thawed.is_set():
            return
        self._thawed.set()
        self.start_keepalive()
        unread, self._unread = self._unread, []
        for data in unread:
            super().data_received(data)

    def data_received(self, data: bytes) -> None:
        """Process received data, or keep it while frozen."""
        if self._thawed.is_set():
            super().data_received(data)
        else:
            self._unread.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let pending sends fail."""
        super().connection_lost(exc)
        self._thawed.set()

    def shutdown(self) -> None:
        """Close the connection, even while frozen."""
        super().shutdown()
        self._thawed.set()

    async def run_asgi(self) -> None:
        """Run the ASGI app, with the protocol in its state."""
        self.scope["state"]["protocol"] = self
        await super().run_asgi()

    async def send(self, message: Any) -> None:  # noqa: ANN401 - as in uvicorn
        """Send a message, as soon as the connection is not frozen."""
        await self._thawed.wait()
        await super().send(message)

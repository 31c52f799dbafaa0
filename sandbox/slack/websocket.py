"""The server's end of a WebSocket, which can be made to freeze."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class Line(WebSocketsSansIOProtocol):
    """A WebSocket that can fall silent: frozen, it neither hears nor says anything, and stays open.

    What it serves finds it as `state.line`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self._flows = asyncio.Event()
        self._flows.set()
        self._unheard: list[bytes] = []

    def freeze(self) -> None:
        """Hear nothing and say nothing from now on."""
        self._flows.clear()
        self.stop_keepalive()

    def thaw(self) -> None:
        """Go on, with what was said in the meantime."""
        if self._flows.is_set():
            return
        self._flows.set()
        self.start_keepalive()
        unheard, self._unheard = self._unheard, []
        for data in unheard:
            super().data_received(data)

    def data_received(self, data: bytes) -> None:
        """Hear something, or keep it for later."""
        if self._flows.is_set():
            super().data_received(data)
        else:
            self._unheard.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of whoever waits to say something."""
        super().connection_lost(exc)
        self._flows.set()

    def shutdown(self) -> None:
        """Close with the server, frozen or not."""
        super().shutdown()
        self._flows.set()

    async def run_asgi(self) -> None:
        """Serve, within reach of what is served."""
        self.scope["state"]["line"] = self
        await super().run_asgi()

    async def send(self, message: Any) -> None:  # noqa: ANN401 - uvicorn's own
        """Say something as soon as the line is not frozen."""
        await self._flows.wait()
        await super().send(message)

"""Tell whoever looks at the sandbox that something changed."""

import asyncio
from collections.abc import AsyncIterator


class Bell:
    """Rings with a topic (`"channel"`, `"view"`, `"phone"`, `"traffic"`); every listener hears each ring."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str]] = set()

    def ring(self, topic: str) -> None:
        """Wake every listener; nobody listening is fine."""
        for queue in self._listeners:
            queue.put_nowait(topic)

    async def listen(self) -> AsyncIterator[str]:
        """Yield the topics that ring from now on, until the caller stops iterating."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

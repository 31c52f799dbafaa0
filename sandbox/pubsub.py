"""Publish changes within the sandbox to everything that waits for one."""

import asyncio
from collections.abc import AsyncIterator


class PubSub:
    """Topics such as `"channel"`, `"view"`, `"phone"` and `"traffic"`; each reaches every subscriber."""

    def __init__(self) -> None:
        self._subscribers: set[asyncio.Queue[str]] = set()

    def publish(self, topic: str) -> None:
        """Send a topic to every subscriber."""
        for queue in self._subscribers:
            queue.put_nowait(topic)

    async def subscribe(self) -> AsyncIterator[str]:
        """Yield the topics published from now on, until the caller stops iterating."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._subscribers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._subscribers.discard(queue)

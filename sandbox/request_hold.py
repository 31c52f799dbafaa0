"""Hold requests to a fake service, or its responses, until a test releases them."""

import asyncio
from typing import Self


class Hold:
    """A gate for requests or responses; leaving the `with` block releases it.

    ```
    with x.hold(Endpoint.CREATE) as hold:
        ...
        await hold.arrived.wait()  # the request was processed, its response is held
        hold.release()
    ```
    """

    def __init__(self, times: int | None = None) -> None:
        self.arrived = asyncio.Event()
        """Set as soon as a request or response is held."""
        self._remaining = times
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let the held requests or responses continue, and hold no more."""
        self._released.set()

    async def wait(self) -> None:
        """Wait until released; return at once after the first `times` calls."""
        if self._remaining == 0:
            return
        if self._remaining is not None:
            self._remaining -= 1
        self.arrived.set()
        await self._released.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

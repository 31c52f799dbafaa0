"""X's webhook: one POST for each event, with HTTP basic auth and no signature, and never a second one."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from sandbox.traffic import TrafficLog
from sandbox.x.wire import Json

PATIENCE = aiohttp.ClientTimeout(total=10)
JSON = "application/json"


@dataclass(frozen=True)
class Webhook:
    """Where X pushes events, and how it makes itself known; without a user it does not."""

    url: str
    user: str = ""
    password: str = ""


@dataclass
class Push:
    """One POST to a webhook."""

    body: Json | str
    """The event; text goes out as it is, so that it may be no JSON at all."""
    at: datetime
    status: int | None = None
    """The HTTP status of the answer; None: no answer, or none yet."""
    answer: str = ""
    failure: str = ""
    """Why there is no answer."""

    @property
    def text(self) -> str:
        """What is sent."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)

    @property
    def title(self) -> str:
        """What a reader scans."""
        kind = self.body.get("event_type", "") if isinstance(self.body, dict) else ""
        return f"POST webhook {kind}".strip()


class Pusher:
    """Pushes events, and keeps what was pushed."""

    def __init__(self, clock: Callable[[], datetime], traffic: TrafficLog) -> None:
        self.pushes: list[Push] = []
        self._clock = clock
        self._traffic = traffic
        self._under_way: set[asyncio.Task[Push]] = set()

    def start(self, body: Json | str, to: Webhook) -> None:
        """Push in the background."""
        task = asyncio.get_running_loop().create_task(self.push(body, to))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def push(self, body: Json | str, to: Webhook) -> Push:
        """Push, and wait for the answer."""
        push, began = Push(body, self._clock()), time.perf_counter()
        self.pushes.append(push)
        try:
            push.status, push.answer = await _post(push.text, to)
        except (aiohttp.ClientError, TimeoutError) as error:
            push.failure = type(error).__name__
        self._show(push, (time.perf_counter() - began) * 1000)
        return push

    async def finished(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _show(self, push: Push, milliseconds: float) -> None:
        status = str(push.status or "no answer")
        self._traffic.record(push.at, "x", "app", push.title, status, milliseconds, push.text, push.answer)


async def _post(text: str, to: Webhook) -> tuple[int, str]:
    known = base64.b64encode(f"{to.user}:{to.password}".encode()).decode()
    headers = {"content-type": JSON, **({"authorization": f"Basic {known}"} if to.user else {})}
    async with (
        aiohttp.ClientSession(timeout=PATIENCE) as session,
        session.post(to.url, data=text.encode(), headers=headers, allow_redirects=False) as response,
    ):
        return response.status, await response.text(errors="replace")

"""X's webhook: one POST per event with HTTP basic authentication, unsigned and never retried."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from sandbox.traffic_log import TrafficLog
from sandbox.x.serializers import Json

TIMEOUT = aiohttp.ClientTimeout(total=60)


@dataclass(frozen=True)
class Webhook:
    """URL and credentials of a webhook; without a user, X does not authenticate."""

    url: str
    user: str = ""
    password: str = ""


@dataclass
class WebhookPost:
    """One POST to a webhook."""

    body: Json | str
    """An event, or raw text that need not be JSON."""
    at: datetime
    status: int | None = None
    """HTTP status of the response; None if there is none yet, or the POST failed."""
    response: str = ""
    error: str = ""
    """Name of the exception if the POST failed."""

    @property
    def text(self) -> str:
        """The body as sent."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body)

    @property
    def title(self) -> str:
        """Title shown in the traffic."""
        event_type = self.body.get("event_type", "") if isinstance(self.body, dict) else ""
        return f"POST webhook {event_type}".strip()


class WebhookClient:
    """Post events to webhooks, and keep the posts."""

    def __init__(self, clock: Callable[[], datetime], traffic: TrafficLog) -> None:
        self.posts: list[WebhookPost] = []
        self._clock = clock
        self._traffic = traffic
        self._tasks: set[asyncio.Task[WebhookPost]] = set()

    def start_post(self, body: Json | str, webhook: Webhook) -> None:
        """Post in the background."""
        task = asyncio.get_running_loop().create_task(self.post(body, webhook))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def post(self, body: Json | str, webhook: Webhook) -> WebhookPost:
        """Post, and wait for the response."""
        post, started = WebhookPost(body, self._clock()), time.perf_counter()
        self.posts.append(post)
        try:
            post.status, post.response = await _send(post.text, webhook)
        except (aiohttp.ClientError, TimeoutError) as error:
            post.error = type(error).__name__
        self._add_to_traffic(post, (time.perf_counter() - started) * 1000)
        return post

    async def wait(self) -> None:
        """Wait until no post is in progress."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _add_to_traffic(self, post: WebhookPost, milliseconds: float) -> None:
        status = str(post.status or "no response")
        self._traffic.record(post.at, "x", "app", post.title, status, milliseconds, post.text, post.response)


async def _send(text: str, webhook: Webhook) -> tuple[int, str]:
    credentials = base64.b64encode(f"{webhook.user}:{webhook.password}".encode()).decode()
    headers = {"content-type": "application/json"}
    if webhook.user:
        headers["authorization"] = f"Basic {credentials}"
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT) as session,
        session.post(webhook.url, data=text.encode(), headers=headers, allow_redirects=False) as response,
    ):
        return response.status, await response.text(errors="replace")

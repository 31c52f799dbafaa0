"""Link previews: programs that fetch a link before, or although, nobody opens it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

import aiohttp

from sandbox.traffic_log import TrafficLog

USER_AGENTS = {
    "X": "Twitterbot/1.0",
    "Slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Telegram": "TelegramBot (like TwitterBot)",
    "a mail gateway": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/131.0.0.0 Safari/537.36"
    ),
}
"""User agents by the name of who fetches; mail gateways pretend to be browsers."""
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost"})
TIMEOUT = aiohttp.ClientTimeout(total=5)
MAX_REDIRECTS = 5
MAX_BYTES = 2**20


@dataclass
class Preview:
    """One fetch of a link."""

    url: str
    """The link in the message."""
    user_agent: str
    at: datetime
    status: int | None = None
    """HTTP status of the last response; None if there is none yet, or the fetch failed."""
    error: str = ""
    """Name of the exception if the fetch failed."""


class LinkPreviewer:
    """Fetch the links of this machine with GET, follow redirects within it, and keep the fetches."""

    def __init__(self, clock: Callable[[], datetime], traffic: TrafficLog) -> None:
        self.previews: list[Preview] = []
        self._clock = clock
        self._traffic = traffic
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, url: str) -> None:
        """Fetch a link in the background with each user agent, if it leads to this machine."""
        for name, user_agent in USER_AGENTS.items() if is_local(url) else ():
            preview = Preview(url, user_agent, self._clock())
            self.previews.append(preview)
            task = asyncio.get_running_loop().create_task(self._fetch(preview, name))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Wait until no fetch is in progress."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _fetch(self, preview: Preview, name: str) -> None:
        started, body = time.perf_counter(), b""
        try:
            preview.status, body = await _get(preview.url, preview.user_agent)
        except (aiohttp.ClientError, TimeoutError) as error:
            preview.error = type(error).__name__
        self._traffic.record(
            at=preview.at,
            sender="x",
            receiver="app",
            title=f"GET link preview by {name}",
            status=str(preview.status or "no response"),
            milliseconds=(time.perf_counter() - started) * 1000,
            request=preview.user_agent,
            response=body.decode(errors="replace"),
        )


def is_local(url: str) -> bool:
    """Return True if a URL leads to this machine."""
    try:
        return urlsplit(url).hostname in LOCAL_HOSTS
    except ValueError:
        return False


async def _get(url: str, user_agent: str) -> tuple[int, bytes]:
    headers = {"user-agent": user_agent, "accept": "text/html,*/*"}
    async with aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as session:
        for _ in range(MAX_REDIRECTS):
            async with session.get(url, allow_redirects=False) as response:
                status, body = response.status, await response.content.read(MAX_BYTES)
                target = urljoin(url, response.headers.get("location", ""))
            if not 300 <= status < 400 or not is_local(target):  # noqa: PLR2004 - HTTP's own classes
                break
            url = target
    return status, body

"""Push events to the app's webhook, also while the app is killed over and over, and check its responses."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import aiohttp

from bench.torture.app_processes import AppProcess
from bench.torture.harness import LEASE_EXPIRY_SECONDS, POLL_SECONDS, WEBHOOK, Harness
from bench.torture.webhook_events import WebhookEvent
from sandbox.x.serializers import Json

CONNECTIONS: Final = 64
MAX_TRIES: Final = 100
REJECTION_LOG: Final = "Feedback rejected"
"""How the app logs an invalid event."""
OK, BAD_REQUEST, UNAUTHORIZED, SERVER_ERROR, UNAVAILABLE = 200, 400, 401, 500, 503
KILLS: Final = 3


class WebhookPusher:
    """Post events over many connections at once; those answered with 503 are retried, lost ones are not."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._responses: Counter[tuple[int, bool]] = Counter()
        """Number of responses by status and validity of the event."""

    async def push_with_kills(
        self, app: AppProcess, events: Sequence[WebhookEvent], rng: random.Random
    ) -> AppProcess:
        """Push all events while the app is killed and started again; return its last process."""
        *batches, last_batch = [events[first :: KILLS + 1] for first in range(KILLS + 1)]
        for batch in batches:
            pushing = asyncio.create_task(self.push(app, batch))
            await asyncio.sleep(rng.random())
            await app.kill()
            await pushing
            self._harness.clock.advance(LEASE_EXPIRY_SECONDS)
            app = await self._harness.start_app()
        await self.push(app, last_batch)
        return app

    async def push(self, app: AppProcess, events: Sequence[WebhookEvent]) -> None:
        """Push events to a process."""
        queue, url = iter(events), app.url + WEBHOOK.url
        headers = {"authorization": aiohttp.encode_basic_auth(WEBHOOK.user, WEBHOOK.password)}
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS), headers=headers
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(CONNECTIONS):
                group.create_task(self._push_from(queue, session, url))

    def failures(self) -> list[str]:
        """Return what the app should have answered or logged differently."""
        unexpected = [
            (OK, False),
            (BAD_REQUEST, True),
            (UNAUTHORIZED, True),
            (SERVER_ERROR, True),
            (SERVER_ERROR, False),
        ]
        failures = [
            f"{count} {'valid' if is_valid else 'invalid'} events got {status}"
            for status, is_valid in unexpected
            if (count := self._responses[status, is_valid])
        ]
        rejected, logged = self._responses[BAD_REQUEST, False], self._harness.log.count(REJECTION_LOG)
        if logged < rejected:
            failures.append(f"{rejected} events were rejected, but only {logged} were logged")
        return failures

    async def _push_from(
        self, queue: Iterator[WebhookEvent], session: aiohttp.ClientSession, url: str
    ) -> None:
        for event in queue:
            for _ in range(MAX_TRIES):
                status = await _post(session, url, event.body)
                self._responses[status, event.is_valid] += 1
                if status != UNAVAILABLE:
                    break
                await asyncio.sleep(POLL_SECONDS)


async def _post(session: aiohttp.ClientSession, url: str, body: Json) -> int:
    """Return the status of the response; 0 if there is none."""
    try:
        async with session.post(url, json=body) as response:
            return response.status
    except aiohttp.ClientError:
        return 0

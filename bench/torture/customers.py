"""Customers who rate on the page behind the link in their direct message."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable
from http import HTTPStatus
from typing import Final

import aiohttp

from bench.torture.checker import CaseResult
from bench.torture.harness import Harness
from csat.surveys.questions import SCALES, Metric

EARLY_RATE: Final = 0.5
"""How often a customer rates at once; the others do when the agents are done."""
PAUSE_SECONDS: Final = 0.2
TIMEOUT: Final = aiohttp.ClientTimeout(total=2)
REFILL_SECONDS: Final = 60.0
"""Time after which the page takes requests again from an address that has asked for too much."""
MAX_TRIES: Final = 100


async def run_with_customers(harness: Harness, rng: random.Random, case: Awaitable[CaseResult]) -> CaseResult:
    """Run a case while the customers who get its links rate, and check their ratings too."""
    customers = Customers(harness, rng)
    async with customers.in_background():
        result = await case
    customers.check(result)
    return result


class Customers:
    """Everybody who got a link, and the ratings that the page took; each customer has one opinion."""

    def __init__(self, harness: Harness, rng: random.Random) -> None:
        self._harness = harness
        self._rng = rng
        self._opinions: dict[str, int] = {}
        self._is_early: dict[str, bool] = {}
        self.rated: dict[str, int] = {}
        """The ratings that the page took, by recipient."""
        self._done: set[str] = set()

    @contextlib.asynccontextmanager
    async def in_background(self) -> AsyncIterator[None]:
        """Rate until the block ends, some customers only then: the app must be running."""
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            working.cancel()
        for _ in range(MAX_TRIES):
            if await self._rate_all(also_late=True):
                return
            self._harness.clock.advance(REFILL_SECONDS)

    async def _work(self) -> None:
        while True:
            await self._rate_all(also_late=False)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _rate_all(self, *, also_late: bool) -> bool:
        """Return True if everybody with a link has rated, or has found that the page takes no rating."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as browser:
            for message in list(self._harness.x.messages.sent):
                [link] = message.urls
                is_early = self._is_early.setdefault(link, self._rng.random() < EARLY_RATE)
                if link not in self._done and (is_early or also_late):
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        await self._rate(browser, message.recipient_id, link)
        return {message.urls[0] for message in self._harness.x.messages.sent} == self._done

    async def _rate(self, browser: aiohttp.ClientSession, recipient: str, link: str) -> None:
        rating = self._opinions.setdefault(recipient, self._rng.choice(SCALES[Metric.CSAT]))
        form = {"action": "rate", "rating": str(rating)}
        async with browser.post(link, data=form, allow_redirects=False) as response:
            if response.status == HTTPStatus.SEE_OTHER:
                self.rated[recipient] = rating
            if response.status in (HTTPStatus.SEE_OTHER, HTTPStatus.NOT_FOUND):
                self._done.add(link)

    def check(self, result: CaseResult) -> None:
        """Compare the ratings that the page took with those in the database."""
        ids = {f"@{customer.handle}": customer.id for customer in self._harness.x.customers}
        stored: dict[str, list[int]] = {}
        for row in self._harness.db.list_surveys():
            if row.rating is not None:
                stored.setdefault(ids.get(row.recipient, row.recipient), []).append(row.rating)
        links = {message.urls[0] for message in self._harness.x.messages.sent}
        for recipient in sorted(self.rated.keys() | stored.keys()):
            rating, found = self.rated.get(recipient), stored.get(recipient, [])
            result.responses += 1
            result.responses_stored += found == [rating]
            if found != [rating]:
                result.failures.append(f"{recipient} rated {rating}, in the database: {found}")
        if links != self._done:
            result.failures.append(f"{len(links - self._done)} customers could not rate")

"""The one place that talks HTTP with X."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from datetime import datetime

import aiohttp
import httpx
from cachetools import TTLCache
from httpx_aiohttp import AiohttpTransport

from csat.clock import Clock, utc_now
from csat.surveys.recipients import Recipient
from csat.surveys.responses import Update
from csat.surveys.survey import Receipt, Survey
from csat.x_api import updates, wire
from csat.x_api.errors import (
    LookUpRefused,
    RecipientSuspended,
    RecipientUnknown,
    Refused,
    RetryLater,
    Uncertain,
)
from csat.x_api.signing import Keys, OAuth1

WHOLE_CALL = 8.0
"""Seconds from the first byte to the last of one call."""
TIMEOUT = httpx.Timeout(WHOLE_CALL, connect=3.0, pool=5.0)
LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=32)

IDS_KEPT = 10_000
ID_LIFETIME = 24 * 3600.0
"""Seconds for which a handle is taken to mean the same account: each look-up costs money."""
HINT_LIFETIME = 60.0
"""Seconds for which the hint whether somebody can be messaged is believed."""

_NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


def open_http(keys: Keys, base_url: str, clock: Clock = utc_now) -> httpx.AsyncClient:
    """Return a signing HTTP client over one keep-alive pool; call it inside the loop, and close it."""
    return httpx.AsyncClient(
        base_url=base_url,
        auth=OAuth1(keys, clock),
        timeout=TIMEOUT,
        transport=AiohttpTransport(limits=LIMITS),
        headers={"User-Agent": "csat-slack"},
    )


class XClient:
    """What the app asks of X; every answer is a value or an `XError`.

    Args:
        http: a signing client whose base URL is X's.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._ids: MutableMapping[str, wire.Account] = TTLCache(IDS_KEPT, ID_LIFETIME)
        self._hints: MutableMapping[str, bool | None] = TTLCache(IDS_KEPT, HINT_LIFETIME)

    async def create(self, survey: Survey) -> Receipt:
        """Send a survey (POST feedback/create); raises `Refused`, `RetryLater` or `Uncertain`.

        Not idempotent: only a failure to connect is sure to have had no effect.
        """
        try:
            async with asyncio.timeout(WHOLE_CALL):
                answer = await self._http.post("/1.1/feedback/create.json", data=wire.encode(survey))
        except (httpx.HTTPError, aiohttp.ClientError, TimeoutError) as error:
            kind = RetryLater if isinstance(error.__cause__, _NEVER_LEFT) else Uncertain
            raise kind(type(error).__name__, raw=str(error)) from error
        return wire.decipher(answer.status_code, answer.headers, answer.content)

    async def look_up(self, recipient: Recipient) -> wire.Account:
        """Return the account of a handle (GET /2/users/by/username), from memory where it is fresh enough.

        Raises `RecipientUnknown`, `RecipientSuspended`, `LookUpRefused` or `RetryLater`.
        """
        handle = str(recipient.handle).lower()
        if known := self._ids.get(handle):
            return known.model_copy(update={"receives_dm": self._hints.get(handle)})
        try:
            account = await self._account(
                f"/2/users/by/username/{handle}", {"user.fields": "receives_your_dm"}
            )
        except (RecipientUnknown, RecipientSuspended):
            raise
        except Refused as error:
            raise LookUpRefused(str(error), words=error.words, raw=error.raw) from error
        self._ids[handle], self._hints[handle] = account, account.receives_dm
        return account

    async def show(self, feedback_id: str) -> Update:
        """Return what X knows of a survey by now (GET feedback/show); raises an `XError`."""
        answer = await self._get(f"/1.1/feedback/show/{feedback_id}.json", {})
        return updates.decipher_shown(answer.status_code, answer.headers, answer.content)

    async def events(self, begin: datetime, end: datetime) -> AsyncIterator[updates.Page]:
        """Yield the pages of what happened in a time that ended a day ago or earlier (GET feedback/events).

        Raises an `XError`.
        """
        milliseconds = {"from_time": begin, "to_time": end}
        params = {name: str(int(when.timestamp() * 1000)) for name, when in milliseconds.items()}
        while params:
            answer = await self._get("/1.1/feedback/events.json", params)
            page = updates.decipher_events(answer.status_code, answer.headers, answer.content)
            yield page
            params = {"cursor": page.next_cursor} if page.next_cursor else {}

    async def me(self) -> wire.Account:
        """Return the account that the keys act for (GET /2/users/me)."""
        return await self._account("/2/users/me", {})

    async def _account(self, path: str, params: dict[str, str]) -> wire.Account:
        answer = await self._get(path, params)
        try:
            return wire.decipher_account(answer.status_code, answer.headers, answer.content)
        except Uncertain as error:  # reading changes nothing, so it can be done again
            raise RetryLater(str(error), words=error.words, raw=error.raw) from error

    async def _get(self, path: str, params: dict[str, str]) -> httpx.Response:
        try:
            async with asyncio.timeout(WHOLE_CALL):
                return await self._http.get(path, params=params)
        except (httpx.HTTPError, aiohttp.ClientError, TimeoutError) as error:
            raise RetryLater(type(error).__name__, raw=str(error)) from error

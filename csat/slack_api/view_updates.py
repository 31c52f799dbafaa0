"""Updates of open modals, of which the latest must win."""

import asyncio
import itertools
import logging
from typing import Any
from weakref import WeakValueDictionary

from cachetools import TTLCache

from csat.slack_api.errors import SlackError
from csat.slack_api.web_client import WebClient

log = logging.getLogger(__name__)

Json = dict[str, Any]

CACHE_SIZE = 10_000
CACHE_TTL_SECONDS = 3600.0
"""How long a modal is assumed to stay open at most."""


class ViewUpdater:
    """Update each modal with one request at a time, and skip updates that a later one supersedes.

    Slack refuses an update with an outdated `hash`. While the user types, each update makes the next one's
    hash outdated, so the latest update is repeated without it.
    """

    def __init__(self, web: WebClient) -> None:
        self._web = web
        self._numbers = itertools.count()
        self._latest: TTLCache[str, int] = TTLCache(CACHE_SIZE, CACHE_TTL_SECONDS)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def supersede(self, view_id: str) -> int:
        """Skip all earlier updates of a modal; return the number of the new one."""
        number = self._latest[view_id] = next(self._numbers)
        return number

    async def update(self, view_id: str, view_hash: str, view: Json) -> bool:
        """Update a modal (views.update); return True if it shows the view.

        A failure is logged, as the modal stays usable.
        """
        number = self.supersede(view_id)
        async with self._locks.setdefault(view_id, asyncio.Lock()):
            for expected_hash in (view_hash, None):
                if self._latest.get(view_id) != number:
                    return False
                error = await self._send(view_id, expected_hash, view)
                if error != "hash_conflict":
                    return not error
        return False

    async def _send(self, view_id: str, view_hash: str | None, view: Json) -> str:
        """Send an update; return Slack's error, or ""."""
        try:
            await self._web.views_update(view_id=view_id, hash=view_hash, view=view)
        except SlackError as error:
            log.info("Slack did not update the view: %s", error)
            return str(error)
        return ""

"""Updates of an open form, of which the newest must win."""

import asyncio
import itertools
import logging
from typing import Any
from weakref import WeakValueDictionary

from cachetools import TTLCache
from slack_sdk.web.async_client import AsyncWebClient

from csat.slack_api.errors import SlackError, as_slack_error

log = logging.getLogger(__name__)

Json = dict[str, Any]

KEPT = 10_000
LIFETIME = 3600.0
"""Seconds after which nobody types in a form any more."""


class ViewUpdates:
    """Updates forms one after the other, and leaves out what a newer change has overtaken.

    Slack refuses an update with a stale `hash`. While somebody types, each update makes the hash of the next
    one stale; so the newest of them is repeated without it.
    """

    def __init__(self, web: AsyncWebClient) -> None:
        self._web = web
        self._numbers = itertools.count()
        self._newest: TTLCache[str, int] = TTLCache(KEPT, LIFETIME)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def supersede(self, view_id: str) -> int:
        """Let no earlier change of a form be shown any more; returns the number of this one."""
        number = self._newest[view_id] = next(self._numbers)
        return number

    async def show(self, view_id: str, view_hash: str, view: Json) -> None:
        """Update a form; an update that is lost or refused does no harm."""
        number = self.supersede(view_id)
        async with self._locks.setdefault(view_id, asyncio.Lock()):
            for guard in (view_hash, None):
                if self._newest.get(view_id) != number or await self._taken(view_id, guard, view):
                    return

    async def _taken(self, view_id: str, view_hash: str | None, view: Json) -> bool:
        try:
            with as_slack_error():
                await self._web.views_update(view_id=view_id, hash=view_hash, view=view)
        except SlackError as error:
            log.info("Slack did not update the form: %s", error)
            return str(error) != "hash_conflict"
        return True

"""Everybody's App Home: results for supervisors, and for all others what became of their own surveys."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta
from weakref import WeakValueDictionary

from slack_sdk.web.async_client import AsyncWebClient

from blocks.agent_home import Own, Sent, agent_home
from blocks.charts import Part, home
from ledger import homes, requesters
from ledger.engine import Ledger
from ledger.entries import Entry
from slack.home import publish
from slack.identity import Identity
from slack.members import Members
from surveys.clock import Clock

LATELY = timedelta(days=30)
NEWEST = 10
"""How many of somebody's own surveys are shown."""

log = logging.getLogger(__name__)


class Homes:
    """Shows everybody the Home that they may see.

    Args:
        members: knows who may see results; it is asked before each Home.
    """

    def __init__(
        self, ledger: Ledger, web: AsyncWebClient, identity: Identity, members: Members, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._web = web
        self._identity = identity
        self._members = members
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def show(self, person: str) -> None:
        """Publish somebody's Home anew; raises `SlackError` or `LedgerError`."""
        async with self._locks.setdefault(person, asyncio.Lock()):
            await self._show_own(await self._identity.team(), person)

    async def _show_own(self, team: str, person: str) -> None:
        seen = await self._ledger.read(homes.find, team, person)
        own = await self._own(team, person)
        await self._publish(person, agent_home(own, names_supervisors=self._members.names_supervisors))
        await self._ledger.run(homes.shows_none, team, person, seen, self._clock())

    async def _own(self, team: str, person: str) -> Own:
        newest = await self._ledger.read(requesters.newest, team, person, NEWEST)
        since = self._clock() - LATELY
        return Own(list(map(_sent, newest)), await self._ledger.read(requesters.counts, team, person, since))

    async def _publish(self, person: str, parts: Iterable[Part]) -> None:
        kept = list(parts)
        await publish(self._web, person, home(kept), home(kept, in_words=True))


def _sent(entry: Entry) -> Sent:
    advice = entry.refusal.advice if entry.refusal else ""
    return Sent(entry.survey, entry.origin.channel, entry.accepted_at, entry.state, advice)

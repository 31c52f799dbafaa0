"""The members of user groups, as Slack last listed them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from weakref import WeakValueDictionary

from cachetools import TTLCache

from csat.clock import Clock
from csat.slack_api.errors import INSTALLATION_ERRORS, SlackRefused, SlackUnavailable, as_slack_error
from csat.slack_api.responses import GroupMembers, parse_response
from csat.slack_api.web_client import WebClient

CACHE_SIZE = 1_000
MAX_AGE_WHEN_BUSY = timedelta(minutes=5)
"""How long a membership is trusted while Slack can't list the members."""
PAUSE_SECONDS = 1.0
"""After a failure for which Slack names no time to wait."""

log = logging.getLogger(__name__)


class _Members(NamedTuple):
    """The members of a group when Slack was asked."""

    users: frozenset[str]
    listed_at: datetime


class UserGroups:
    """The members of user groups, cached since Slack lists them only 20 times a minute.

    https://docs.slack.dev/reference/methods/usergroups.users.list
    """

    def __init__(self, web: WebClient, team_id: Callable[[], Awaitable[str]], clock: Clock) -> None:
        self._web = web
        self._team_id = team_id
        self._clock = clock
        self._members: TTLCache[str, _Members] = TTLCache(
            CACHE_SIZE, MAX_AGE_WHEN_BUSY.total_seconds(), timer=lambda: clock().timestamp()
        )
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._failure = SlackUnavailable("")
        self._paused_until: datetime | None = None

    async def has_member(self, group: str, user: str, max_age: timedelta) -> bool:
        """Return True if a group has a member; raises `SlackUnavailable` if that is not known.

        While Slack is unavailable, a membership is trusted for `MAX_AGE_WHEN_BUSY`; its absence is not, as
        the user may have joined since.
        """
        try:
            return user in await self.list_members(group, max_age)
        except SlackUnavailable:
            known = self._members.get(group)
            if known is None or user not in known.users:
                raise
            return True

    async def list_members(self, group: str, max_age: timedelta) -> frozenset[str]:
        """Return a group's members, listed at most `max_age` ago; raises `SlackUnavailable`.

        A group that Slack refuses to list has none.
        """
        async with self._locks.setdefault(group, asyncio.Lock()):
            now = self._clock()
            known = self._members.get(group)
            if known is None or not timedelta(0) <= now - known.listed_at <= max_age:
                known = self._members[group] = _Members(await self._fetch(group, now), now)
        return known.users

    async def _fetch(self, group: str, now: datetime) -> frozenset[str]:
        if self._paused_until and now < self._paused_until:
            raise SlackUnavailable(str(self._failure))
        try:
            with as_slack_error():
                async with asyncio.timeout(self._web.timeouts.slack_person):
                    team = await self._team_id()
                    response = await self._web.usergroups_users_list(usergroup=group, team_id=team)
            return parse_response(GroupMembers, response).users
        except SlackRefused as error:
            log.warning("Can't read the user group %s: %s", group, error)
            return frozenset()
        except SlackUnavailable as error:
            log.warning("Can't read the user group %s for now: %s", group, error)
            self._failure = error
            self._paused_until = now + timedelta(seconds=max(error.retry_after, PAUSE_SECONDS))
            if str(error) in INSTALLATION_ERRORS:
                self._members.clear()
            raise

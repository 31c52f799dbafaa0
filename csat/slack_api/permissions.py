"""Who may send surveys, and who may see results."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from cachetools import TTLCache
from pydantic import Field
from slack_sdk.web.async_client import AsyncWebClient

from csat.slack_api.errors import SlackError, SlackRefused, as_slack_error
from csat.slack_api.payloads import Payload
from csat.slack_api.responses import GroupMembers, parse_response

CACHE_SIZE = 10_000
CACHE_TTL_SECONDS = 300.0

TIMEOUT_SECONDS = 1.0
"""Slack wants its acknowledgement within three seconds."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class PermissionDenied(Exception):
    """This user may not send surveys; `str()` tells them why and what to do."""


class _Enterprise(Payload):
    teams: frozenset[str] = frozenset()


class _User(Payload):
    """A user object of Slack's `users.info`."""

    team: str = Field("", alias="team_id")
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    enterprise_user: _Enterprise = _Enterprise()

    def belongs_to(self, team: str) -> bool:
        return not self.is_stranger and (team == self.team or team in self.enterprise_user.teams)

    @property
    def is_full_member(self) -> bool:
        return not (self.deleted or self.is_bot or self.is_restricted or self.is_ultra_restricted)


class _UserInfo(Payload):
    """The response of users.info."""

    user: _User


class Permissions:
    """The permissions of agents and supervisors.

    Args:
        web: Slack's Web API.
        team_id: returns the id of the workspace that the app is installed in; may raise `SlackError`.
        agents: ids of users (U..., W...) and user groups (S...) that may send; empty for all full members.
        supervisors: ids of users and user groups that may see results; empty for nobody.
    """

    def __init__(
        self,
        web: AsyncWebClient,
        team_id: Callable[[], Awaitable[str]],
        agents: Collection[str],
        supervisors: Collection[str],
    ) -> None:
        self._web = web
        self._team_id = team_id
        self._agents = frozenset(agents)
        self._supervisors = frozenset(supervisors)
        self._users = _Cache(self._fetch_user)
        self._groups = _Cache(self._fetch_group_members)

    @property
    def has_supervisors(self) -> bool:
        """Whether CSAT_SUPERVISORS names anybody."""
        return bool(self._supervisors)

    async def require_agent(self, user: str) -> None:
        """Raise `PermissionDenied` unless the user may send surveys."""
        try:
            with as_slack_error():
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    team, profile, is_listed = await asyncio.gather(
                        self._team_id(), self._users.get(user), self._is_listed_agent(user)
                    )
        except SlackError as error:
            log.warning("Can't check the permissions of %s: %s", user, error)
            raise PermissionDenied(
                "Slack can't confirm right now that you may send surveys. Try again in a minute."
            ) from error
        if not profile.belongs_to(team):
            raise PermissionDenied("Only members of the workspace that owns this app can send surveys.")
        if self._agents and not is_listed:
            raise PermissionDenied(
                "You're not on the list of people who can send surveys. Ask an admin of this app to add you."
            )
        if not self._agents and not profile.is_full_member:
            raise PermissionDenied("Guests can't send surveys. Ask a teammate, or an admin of this app.")

    async def is_supervisor(self, user: str) -> bool:
        """Return True if the user may see results; False if Slack can't be reached.

        User groups are not cached here: removed supervisors lose access at once.
        """
        return user in await self.find_supervisors([user])

    async def find_supervisors(self, users: Iterable[str]) -> frozenset[str]:
        """Return the users that `is_supervisor`, with one request per user group."""
        candidates = frozenset(users)
        supervisors = candidates & self._supervisors
        if supervisors != candidates:
            supervisors |= candidates & await self._fetch_supervisor_groups()
        return frozenset([user for user in sorted(supervisors) if await self._is_team_member(user)])

    async def _fetch_supervisor_groups(self) -> frozenset[str]:
        """Return the members of the supervisors' groups; a group that can't be read counts as empty."""
        groups = [supervisor for supervisor in self._supervisors if supervisor.startswith("S")]
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                results = await asyncio.gather(
                    *map(self._fetch_group_members, groups), return_exceptions=True
                )
        except TimeoutError:
            log.warning("Can't read the user groups in CSAT_SUPERVISORS: timeout")
            return frozenset()
        for group, result in zip(groups, results, strict=True):
            if isinstance(result, BaseException):
                log.warning("Can't read the user group %s in CSAT_SUPERVISORS: %s", group, result)
        return frozenset().union(*(result for result in results if not isinstance(result, BaseException)))

    async def _is_team_member(self, user: str) -> bool:
        try:
            with as_slack_error():
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    team, profile = await asyncio.gather(self._team_id(), self._users.get(user))
        except SlackError as error:
            log.warning("Can't check the permissions of %s: %s", user, error)
            return False
        return profile.belongs_to(team)

    async def _is_listed_agent(self, user: str) -> bool:
        """Return True if CSAT_AGENTS lists the user, or one of their user groups.

        Raises `SlackError` if a group can't be read for now, unless another one lists the user.
        """
        if user in self._agents:
            return True
        groups = [agent for agent in self._agents if agent.startswith("S")]
        results = await asyncio.gather(*map(self._groups.get, groups), return_exceptions=True)
        if any(user in result for result in results if not isinstance(result, BaseException)):
            return True
        for group, result in zip(groups, results, strict=True):
            if isinstance(result, SlackRefused):
                log.warning("Can't read the user group %s in CSAT_AGENTS: %s", group, result)
            elif isinstance(result, BaseException):
                raise result
        return False

    async def _fetch_user(self, user: str) -> _User:
        with as_slack_error():
            response = await self._web.users_info(user=user)
        return parse_response(_UserInfo, response).user

    async def _fetch_group_members(self, group: str) -> frozenset[str]:
        with as_slack_error():
            response = await self._web.usergroups_users_list(usergroup=group)
        return parse_response(GroupMembers, response).users


class _Cache(Generic[T]):
    """A TTL cache that fetches a missing value once, however many callers want it.

    If the caller that fetches fails or is cancelled, the next one fetches for itself.
    """

    def __init__(self, fetch: Callable[[str], Coroutine[Any, Any, T]]) -> None:
        self._fetch = fetch
        self._values: TTLCache[str, T] = TTLCache(CACHE_SIZE, CACHE_TTL_SECONDS)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, key: str) -> T:
        async with self._locks.setdefault(key, asyncio.Lock()):
            if (value := self._values.get(key)) is None:
                value = self._values[key] = await self._fetch(key)
        return value

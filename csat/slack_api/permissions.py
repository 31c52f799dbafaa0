"""Who may send surveys, and who may see what became of them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from cachetools import TTLCache
from pydantic import Field
from slack_sdk.web.async_client import AsyncWebClient

from csat.slack_api.errors import SlackError, Unreachable, as_slack_error
from csat.slack_api.identity import Identity
from csat.slack_api.payloads import Payload

KEPT = 10_000
LIFETIME = 300.0
"""Seconds for which Slack's answer about a person or a group is believed."""


ASKING = 1.0
"""Seconds to wait for that answer, out of the three in which Slack wants its acknowledgement."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class PermissionDenied(Exception):
    """This person may not send surveys; `str()` says why and what to do."""


class _Enterprise(Payload):
    teams: frozenset[str] = frozenset()


class _Person(Payload):
    """What Slack's `users.info` says of somebody."""

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


class Permissions:
    """Knows who may send, and who may see results.

    Args:
        web: Slack's Web API.
        identity: tells which workspace this app belongs to.
        agents: user ids (U..., W...) and user group ids (S...) that may send; empty for every full member.
        supervisors: user ids and user group ids that may see results; empty for nobody.
    """

    def __init__(
        self,
        web: AsyncWebClient,
        identity: Identity,
        agents: Iterable[str],
        supervisors: Iterable[str] = (),
    ) -> None:
        self._web = web
        self._identity = identity
        self._agents = frozenset(agents)
        self._supervisors = frozenset(supervisors)
        self._people = _Memory(self._person)
        self._groups = _Memory(self._group)

    async def check(self, user: str) -> None:
        """Raise `PermissionDenied` unless `user` may send surveys."""
        try:
            with as_slack_error():
                async with asyncio.timeout(ASKING):
                    team, person, listed = await asyncio.gather(
                        self._identity.team(),
                        self._people.of(user),
                        self._listed(user),
                    )
        except SlackError as error:
            log.warning("Slack did not tell who %s is: %s", user, error)
            raise PermissionDenied(
                "Slack could not tell whether you may send surveys. Try again in a minute."
            ) from error
        if not person.belongs_to(team):
            raise PermissionDenied("Only members of the workspace that owns this app can send surveys.")
        if self._agents and not listed:
            raise PermissionDenied(
                "You are not on the list of people who may send surveys. Ask whoever runs this app."
            )
        if not self._agents and not person.is_full_member:
            raise PermissionDenied(
                "Guests can't send surveys. Ask a member of the team, or whoever runs this app."
            )

    async def is_supervisor(self, user: str) -> bool:
        """Tell whether `user` may see results; where Slack can't tell, the answer is no.

        Who is in a group is asked each time: somebody who has left it sees nothing more.
        """
        return user in await self.supervisors_among([user])

    async def supervisors_among(self, users: Iterable[str]) -> frozenset[str]:
        """Return which of these people may see results, as `supervises` does, asking for each group once."""
        asked = frozenset(users)
        named = asked & self._supervisors
        if named != asked:
            named |= asked & await self._in_groups()
        return frozenset([user for user in sorted(named) if await self._is_ours(user)])

    @property
    def names_supervisors(self) -> bool:
        """Whether anybody was named who may see results."""
        return bool(self._supervisors)

    async def _in_groups(self) -> frozenset[str]:
        """Return who is in the supervisors' groups; one that can't be read has nobody in it."""
        groups = [group for group in self._supervisors if group.startswith("S")]
        try:
            async with asyncio.timeout(ASKING):
                found = await asyncio.gather(*map(self._group, groups), return_exceptions=True)
        except TimeoutError:
            log.warning("Slack did not tell in time who supervises")
            return frozenset()
        for group, failure in zip(groups, found, strict=True):
            if isinstance(failure, BaseException):
                log.warning("CSAT_SUPERVISORS names %s, and Slack tells not whom: %s", group, failure)
        return frozenset().union(*(each for each in found if not isinstance(each, BaseException)))

    async def _is_ours(self, user: str) -> bool:
        try:
            with as_slack_error():
                async with asyncio.timeout(ASKING):
                    team, person = await asyncio.gather(self._identity.team(), self._people.of(user))
        except SlackError as error:
            log.warning("Slack did not tell who %s is: %s", user, error)
            return False
        return person.belongs_to(team)

    async def _listed(self, user: str) -> bool:
        """Tell whether a user is listed; groups that can't be read matter only where no other lists them."""
        if user in self._agents:
            return True
        groups = [agent for agent in self._agents if agent.startswith("S")]
        asked = [self._groups.of(group) for group in groups]
        found = await asyncio.gather(*asked, return_exceptions=True)
        if any(user in members for members in found if not isinstance(members, BaseException)):
            return True
        for group, failure in zip(groups, found, strict=True):
            if isinstance(failure, Unreachable):
                log.warning("CSAT_AGENTS names %s, which Slack refuses: %s", group, failure)
            elif isinstance(failure, BaseException):
                raise failure
        return False

    async def _person(self, user: str) -> _Person:
        answer = await self._web.users_info(user=user)
        return _Person.model_validate(answer["user"])

    async def _group(self, group: str) -> frozenset[str]:
        with as_slack_error():
            answer = await self._web.usergroups_users_list(usergroup=group)
        return frozenset(answer["users"])


class _Memory(Generic[T]):
    """Slack's answers, each asked for once and believed for a while."""

    def __init__(self, ask: Callable[[str], Coroutine[Any, Any, T]]) -> None:
        self._ask = ask
        self._answers: TTLCache[str, T] = TTLCache(KEPT, LIFETIME)
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def of(self, key: str) -> T:
        """Return the answer for a key; raises `SlackError`."""
        if key not in self._answers:
            async with self._asking.setdefault(key, asyncio.Lock()):
                if key not in self._answers:
                    with as_slack_error():
                        self._answers[key] = await self._ask(key)
        return self._answers[key]

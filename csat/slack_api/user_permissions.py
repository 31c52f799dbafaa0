"""The permissions of users: who may send surveys, and who may see results."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import timedelta

from csat.clock import Clock
from csat.slack_api.errors import (
    INSTALLATION_ERRORS,
    SlackError,
    SlackRefused,
    SlackUnavailable,
    as_slack_error,
)
from csat.slack_api.user_groups import UserGroups
from csat.slack_api.users import Users
from csat.slack_api.web_client import WebClient

AGENTS_MAX_AGE = timedelta(minutes=5)
SUPERVISORS_MAX_AGE = timedelta(seconds=30)
"""How old the list of a user group's members may be."""

CHECK_IMPOSSIBLE = (
    "Slack is busy and can't confirm right now whether you're a supervisor. Try again in a minute."
)
CHECK_REFUSED = (
    "Slack doesn't let this app check who is a supervisor ({error}). "
    "Ask an admin of this app to run python app.py check."
)

log = logging.getLogger(__name__)


class PermissionDenied(Exception):
    """This user may not send surveys or see results; `str()` tells them why and what to do."""


class PermissionUnknown(PermissionDenied):
    """Slack can't tell for now whether a user may see results."""

    def __init__(self, error: SlackUnavailable) -> None:
        needs_admin = str(error) in INSTALLATION_ERRORS
        super().__init__(CHECK_REFUSED.format(error=error) if needs_admin else CHECK_IMPOSSIBLE)


class AgentUnknown(PermissionDenied):
    """Slack can't tell for now whether a user may send surveys."""

    def __init__(self) -> None:
        super().__init__("Slack can't confirm right now that you may send surveys. Try again in a minute.")


class Permissions:
    """The permissions of agents and supervisors.

    Args:
        web: Slack's Web API.
        users: the users of the workspace.
        team_id: returns the id of the workspace that the app is installed in; may raise `SlackError`.
        clock: the current time.
        agents: ids of users (U..., W...) and user groups (S...) that may send; empty for all full members.
        supervisors: ids of users and user groups that may see results; empty for nobody.
    """

    def __init__(
        self,
        web: WebClient,
        users: Users,
        team_id: Callable[[], Awaitable[str]],
        clock: Clock,
        agents: Collection[str],
        supervisors: Collection[str],
    ) -> None:
        self._web = web
        self._users = users
        self._team_id = team_id
        self._agents = frozenset(agents)
        self._supervisors = frozenset(supervisors)
        self._groups = UserGroups(web, team_id, clock)

    @property
    def has_supervisors(self) -> bool:
        """Whether CSAT_SUPERVISORS names anybody."""
        return bool(self._supervisors)

    async def require_agent(self, user: str) -> None:
        """Raise `PermissionDenied` unless the user may send surveys, or `AgentUnknown`."""
        try:
            with as_slack_error():
                async with asyncio.timeout(self._web.timeouts.slack_person):
                    team, profile, is_listed = await asyncio.gather(
                        self._team_id(),
                        self._users.get(user),
                        self._is_listed(user, self._agents, AGENTS_MAX_AGE),
                    )
        except SlackError as error:
            log.warning("Can't check whether somebody may send surveys: %s", error)
            raise AgentUnknown from error
        if not profile.belongs_to(team):
            raise PermissionDenied("Only members of the workspace that owns this app can send surveys.")
        if self._agents and not is_listed:
            raise PermissionDenied(
                "You're not on the list of people who can send surveys. Ask an admin of this app to add you."
            )
        if not self._agents and not profile.is_full_member:
            raise PermissionDenied("Guests can't send surveys. Ask a teammate, or an admin of this app.")

    async def find_agent_denial(self, user: str) -> str:
        """Return why the user may not send surveys; "" if they may, or while Slack can't tell."""
        try:
            await self.require_agent(user)
        except AgentUnknown:
            return ""
        except PermissionDenied as denied:
            return str(denied)
        return ""

    async def require_supervisor(
        self, user: str, denial: str, max_age: timedelta = SUPERVISORS_MAX_AGE
    ) -> None:
        """Raise `PermissionDenied` with a text unless the user may see results, or `PermissionUnknown`."""
        if not await self.is_supervisor(user, max_age):
            raise PermissionDenied(denial)

    async def is_supervisor(self, user: str, max_age: timedelta = SUPERVISORS_MAX_AGE) -> bool:
        """Return True if the user may see results; raises `PermissionUnknown`.

        Slack is asked again for user groups that it listed more than `max_age` ago.
        """
        try:
            return await self._is_listed(user, self._supervisors, max_age) and await self._is_team_member(
                user
            )
        except SlackUnavailable as error:
            log.warning("Can't check whether %s is a supervisor: %s", user, error)
            raise PermissionUnknown(error) from error

    async def find_supervisors(self, users: Iterable[str]) -> frozenset[str]:
        """Return the users that are known to be supervisors."""
        candidates = tuple(users)
        results = await asyncio.gather(*map(self.is_supervisor, candidates), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, PermissionUnknown):
                raise result
        return frozenset(user for user, result in zip(candidates, results, strict=True) if result is True)

    async def list_supervisors(self) -> frozenset[str]:
        """Return everybody who is a supervisor now; raises `SlackUnavailable`."""
        groups = [listed for listed in self._supervisors if listed.startswith("S")]
        members = await asyncio.gather(*(self._groups.list_members(group, timedelta(0)) for group in groups))
        return self._supervisors.union(*members)

    async def _is_team_member(self, user: str) -> bool:
        try:
            with as_slack_error():
                async with asyncio.timeout(self._web.timeouts.slack_person):
                    team, profile = await asyncio.gather(self._team_id(), self._users.get(user))
        except SlackRefused as error:
            log.warning("Slack does not know %s: %s", user, error)
            return False
        return profile.belongs_to(team)

    async def _is_listed(self, user: str, listed: Collection[str], max_age: timedelta) -> bool:
        """Return True if the user or one of their user groups is listed.

        Raises `SlackUnavailable` if a group can't be read for now, unless another one has the user.
        """
        if user in listed:
            return True
        groups = [group for group in listed if group.startswith("S")]
        results = await asyncio.gather(
            *(self._groups.has_member(group, user, max_age) for group in groups), return_exceptions=True
        )
        if True in results:
            return True
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return False

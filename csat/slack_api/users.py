"""The users that Slack knows: people of the workspace and of others, and apps."""

import asyncio
import logging
from typing import Final
from weakref import WeakValueDictionary

from cachetools import TTLCache
from pydantic import Field

from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Payload
from csat.slack_api.responses import parse_response
from csat.slack_api.web_client import WebClient

CACHE_SIZE = 10_000
CACHE_TTL_SECONDS = 300.0

SLACKBOT: Final = "USLACKBOT"
"""Slack says of it that it is no bot."""

log = logging.getLogger(__name__)


class _Enterprise(Payload):
    teams: frozenset[str] = frozenset()


class User(Payload):
    """A user object of Slack's `users.info`."""

    id: str = ""
    name: str = ""
    real_name: str = ""
    team: str = Field("", alias="team_id")
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    """Whether it is somebody of another workspace who shares no channel with the app."""
    enterprise_user: _Enterprise = _Enterprise()

    def belongs_to(self, team: str) -> bool:
        """Return True if it is a member of the workspace."""
        return not self.is_stranger and (team == self.team or team in self.enterprise_user.teams)

    @property
    def is_full_member(self) -> bool:
        """Whether it is a person, and no guest, of their workspace."""
        return not (self.deleted or self.is_bot or self.is_restricted or self.is_ultra_restricted)

    @property
    def is_app(self) -> bool:
        """Whether it is no person."""
        return self.is_bot or self.id == SLACKBOT


class UserInfo(Payload):
    """The response of users.info."""

    user: User


class Users:
    """A cache that asks Slack once for each user, however many callers want it.

    If the caller that asks fails or is cancelled, the next one asks for itself.
    """

    def __init__(self, web: WebClient) -> None:
        self._web = web
        self._known: TTLCache[str, User] = TTLCache(CACHE_SIZE, CACHE_TTL_SECONDS)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, user: str) -> User:
        """Return a user (users.info); raises `SlackError`."""
        async with self._locks.setdefault(user, asyncio.Lock()):
            if (known := self._known.get(user)) is None:
                response = await self._web.users_info(user=user)
                known = self._known[user] = parse_response(UserInfo, response).user
        return known

    async def find_name(self, user: str) -> str:
        """Return a user's name; "" if Slack does not tell it in time."""
        try:
            async with asyncio.timeout(self._web.timeouts.slack_person):
                known = await self.get(user)
        except (SlackError, TimeoutError) as error:
            log.info("Slack does not tell the name of a customer: %s", error)
            return ""
        return known.real_name or known.name

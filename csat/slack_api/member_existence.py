"""Whether Slack knows the users and user groups that an operator lists."""

import asyncio
from collections.abc import Collection, Mapping
from enum import StrEnum

from csat.slack_api.errors import SlackError, SlackRefused, is_rejection
from csat.slack_api.responses import GroupMembers, parse_response
from csat.slack_api.users import UserInfo
from csat.slack_api.web_client import WebClient

CONCURRENCY = 4


class Problem(StrEnum):
    """A problem with an id; the value is for operators."""

    NO_USER = "no such user"
    DEACTIVATED = "deactivated"
    APP = "an app or bot, no person"
    STRANGER = "of another workspace, and in no channel with the app"
    OTHER_TEAM = "of another workspace, and so without any access"
    NO_GROUP = "no such user group"


ERROR_CODES: Mapping[str, Problem] = {
    "user_not_found": Problem.NO_USER,
    "user_not_visible": Problem.NO_USER,
    "no_such_subteam": Problem.NO_GROUP,
}
"""Slack's error codes that say something about the id; all others leave it unknown."""


class ListedMembers:
    """Asks Slack for each user and user group; once Slack is busy or can't be reached, it asks no more.

    https://docs.slack.dev/reference/methods/users.info and .../usergroups.users.list
    """

    def __init__(self, web: WebClient, team: str) -> None:
        self._web = web
        self._team = team
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._unavailable: SlackError | None = None

    async def look_up(self, ids: Collection[str]) -> Mapping[str, Problem | SlackError | None]:
        """Return the problem of each id, None if it has none, or the error for which it is not known."""
        return dict(zip(ids, await asyncio.gather(*map(self._look_up, ids)), strict=True))

    async def _look_up(self, user_or_group: str) -> Problem | SlackError | None:
        async with self._slots:
            if self._unavailable:
                return self._unavailable
            try:
                return await self._ask(user_or_group)
            except SlackError as error:
                if isinstance(error, SlackRefused) and (problem := ERROR_CODES.get(str(error))):
                    return problem
                if not is_rejection(error):
                    self._unavailable = error
                return error

    async def _ask(self, user_or_group: str) -> Problem | None:
        if user_or_group.startswith("S"):
            response = await self._web.usergroups_users_list(usergroup=user_or_group, team_id=self._team)
            parse_response(GroupMembers, response)
            return None
        user = parse_response(UserInfo, await self._web.users_info(user=user_or_group)).user
        if user.deleted:
            return Problem.DEACTIVATED
        if user.is_app:
            return Problem.APP
        if user.is_stranger:
            return Problem.STRANGER
        return None if user.belongs_to(self._team) else Problem.OTHER_TEAM

"""The names of users and channels, for files that are read outside of Slack."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from csat.slack_api.error_explanations import explain
from csat.slack_api.errors import TOKEN_ERRORS, SlackError, is_rejection
from csat.slack_api.payloads import Payload
from csat.slack_api.responses import ChannelInfo, parse_response
from csat.slack_api.web_client import WebClient

CONCURRENCY = 8

SCOPE_NEEDED = "for those of private channels, an admin of this app can add the scope groups:read."
APP_REJECTED = "{error}. Export again once an admin of this app has fixed SLACK_BOT_TOKEN."
UNAVAILABLE = "{error}. Export again later."

log = logging.getLogger(__name__)


class _User(Payload):
    real_name: str = ""
    name: str = ""


class _UserInfo(Payload):
    """The response of users.info."""

    user: _User


class Names:
    """Asks Slack once for each name; once Slack can't be reached or rejects the token, it asks no more.

    Slack tells a channel's name only with the scope `channels:read`, or `groups:read` if it is private.
    """

    def __init__(self, web: WebClient) -> None:
        self._web = web
        self._known: dict[str, str] = {}
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self.failure: SlackError | None = None
        """Why Slack is asked no more."""

    @property
    def unknown(self) -> int:
        """The number of users and channels whose name Slack did not tell."""
        return sum(not name for name in self._known.values())

    @property
    def why_unknown(self) -> str:
        """Why Slack did not tell these names, and what to do."""
        if not self.failure:
            return SCOPE_NEEDED
        text = APP_REJECTED if str(self.failure) in TOKEN_ERRORS else UNAVAILABLE
        return text.format(error=explain(self.failure))

    async def look_up(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return names by the ids of users and channels; direct messages have none.

        A name that Slack does not tell is empty.
        """
        new = {each for each in ids if each and not each.startswith("D")} - self._known.keys()
        await asyncio.gather(*map(self._ask, sorted(new)))
        return self._known

    async def _ask(self, user_or_channel: str) -> None:
        self._known[user_or_channel] = ""
        async with self._slots:
            if self.failure:
                return
            try:
                self._known[user_or_channel] = await self._fetch(user_or_channel)
            except SlackError as error:
                log.info("Slack does not tell the name of %s: %s", user_or_channel, error)
                if not is_rejection(error) or str(error) in TOKEN_ERRORS:
                    self.failure = self.failure or error

    async def _fetch(self, user_or_channel: str) -> str:
        if user_or_channel.startswith(("U", "W")):
            user = parse_response(_UserInfo, await self._web.users_info(user=user_or_channel)).user
            return user.real_name or user.name
        response = await self._web.conversations_info(channel=user_or_channel)
        return parse_response(ChannelInfo, response).channel.name

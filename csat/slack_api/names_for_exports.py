"""The names of users and channels, for files that are read outside of Slack."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from csat.slack_api.errors import SlackError, is_rejection
from csat.slack_api.payloads import Payload
from csat.slack_api.responses import ChannelInfo, parse_response
from csat.slack_api.web_client import WebClient

CONCURRENCY = 8

log = logging.getLogger(__name__)


class _User(Payload):
    real_name: str = ""
    name: str = ""


class _UserInfo(Payload):
    """The response of users.info."""

    user: _User


class Names:
    """Asks Slack once for each name; once Slack can't be reached, it asks no more.

    Slack tells a channel's name only with the scope `channels:read`, or `groups:read` if it is private.
    """

    def __init__(self, web: WebClient) -> None:
        self._web = web
        self._known: dict[str, str] = {}
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self.is_available = True
        """Whether Slack could be asked for every name so far."""

    @property
    def unknown(self) -> int:
        """The number of users and channels whose name Slack did not tell."""
        return sum(not name for name in self._known.values())

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
            if not self.is_available:
                return
            try:
                self._known[user_or_channel] = await self._fetch(user_or_channel)
            except SlackError as error:
                log.info("Slack does not tell the name of %s: %s", user_or_channel, error)
                self.is_available = self.is_available and is_rejection(error)

    async def _fetch(self, user_or_channel: str) -> str:
        if user_or_channel.startswith(("U", "W")):
            user = parse_response(_UserInfo, await self._web.users_info(user=user_or_channel)).user
            return user.real_name or user.name
        response = await self._web.conversations_info(channel=user_or_channel)
        return parse_response(ChannelInfo, response).channel.name

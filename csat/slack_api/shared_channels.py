"""The channels that are shared with other organizations (Slack Connect)."""

import logging

from cachetools import TTLCache

from csat.slack_api.errors import NoResponse, SlackRefused, SlackUnavailable
from csat.slack_api.responses import ChannelInfo, parse_response
from csat.slack_api.web_client import WebClient

CACHE_SIZE = 1_000
CACHE_TTL_SECONDS = 60.0
MISSING_SCOPE = "missing_scope"
UNKNOWN_CHANNEL = "channel_not_found"

log = logging.getLogger(__name__)


class SharedChannels:
    """Whether people of other organizations read a channel, as Slack last said.

    https://docs.slack.dev/reference/methods/conversations.info
    """

    def __init__(self, web: WebClient) -> None:
        self._web = web
        self._known: TTLCache[str, bool] = TTLCache(CACHE_SIZE, CACHE_TTL_SECONDS)

    async def includes(self, channel: str) -> bool:
        """Return True if others read a channel, are invited to it, or may be; raises `SlackUnavailable`.

        Slack tells nothing of a private conversation without the app. With neither the scope `channels:read`
        nor, for a private channel, `groups:read`, it is taken for the workspace's own.
        """
        if channel not in self._known:
            self._known[channel] = await self._ask(channel)
        return self._known[channel]

    async def _ask(self, channel: str) -> bool:
        try:
            info = parse_response(ChannelInfo, await self._web.conversations_info(channel=channel)).channel
        except NoResponse as error:  # it was only asked: whoever posts next need not wait for a duplicate
            raise SlackUnavailable(str(error)) from error
        except (SlackRefused, SlackUnavailable) as error:
            if isinstance(error, SlackUnavailable) and str(error) != MISSING_SCOPE:
                raise
            log.info("Slack does not say whether %s is shared: %s", channel, error)
            return str(error) == UNKNOWN_CHANNEL
        return info.has_strangers

"""Slack as this app's listeners use it."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from csat.slack_api.errors import SlackError, as_slack_error
from csat.slack_api.files import Files
from csat.slack_api.identity import Identity
from csat.slack_api.permissions import Permissions
from csat.slack_api.posting import Poster
from csat.slack_api.view_updates import ViewUpdates
from csat.surveys.limits import PreviousSurvey

Json = dict[str, Any]

LINKING = 0.7
"""Seconds to find a link that is nice to have."""

log = logging.getLogger(__name__)

OPENING = 2.5
"""Seconds for opening a form: its `trigger_id` lives for three."""


@dataclass(frozen=True)
class SlackClient:
    """The Web API, who we are in it, who may do what, and how to post, update and send files."""

    web: AsyncWebClient
    identity: Identity
    permissions: Permissions
    poster: Poster
    updates: ViewUpdates
    files: Files

    async def permalink(self, asked: PreviousSurvey, reader_in: str) -> str:
        """Return a link to where a survey was asked for, if it is public or where its reader is; else ""."""
        try:
            with as_slack_error():
                async with asyncio.timeout(LINKING):
                    if not asked.thread or not (
                        asked.channel == reader_in or await self._is_public(asked.channel)
                    ):
                        return ""
                    answer = await self.web.chat_getPermalink(channel=asked.channel, message_ts=asked.thread)
        except SlackError as error:
            log.info("No link to where survey %s was asked for: %s", asked.survey_id, error)
            return ""
        return str(answer["permalink"])

    async def link(self, channel: str, ts: str) -> str:
        """Return a link to a message, which opens for those who may read it; "" where there is none."""
        try:
            return f"{await self.identity.url()}archives/{channel}/p{ts.replace('.', '')}" if ts else ""
        except SlackError as error:
            log.info("No link to a message in %s: %s", channel, error)
            return ""

    async def _is_public(self, channel: str) -> bool:
        answer = await self.web.conversations_info(channel=channel)
        return answer["channel"].get("is_private") is False and not answer["channel"].get("is_im")

    async def open_view(self, trigger_id: str, view: Json) -> None:
        """Open a modal; raises `SlackError`."""
        with as_slack_error():
            async with asyncio.timeout(OPENING):
                await self.web.views_open(trigger_id=trigger_id, view=view)

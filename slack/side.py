"""Slack as this app's listeners use it."""

import asyncio
from dataclasses import dataclass

from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from slack.errors import as_slack_error
from slack.identity import Identity
from slack.members import Members
from slack.posting import Poster
from slack.updates import ViewUpdates

OPENING = 2.5
"""Seconds for opening a form: its `trigger_id` lives for three."""


@dataclass(frozen=True)
class Slack:
    """The Web API, who we are in it, who may send, and how to post and to update."""

    web: AsyncWebClient
    identity: Identity
    members: Members
    poster: Poster
    updates: ViewUpdates

    async def open_view(self, trigger_id: str, view: View) -> None:
        """Open a modal; raises `SlackError`."""
        with as_slack_error():
            async with asyncio.timeout(OPENING):
                await self.web.views_open(trigger_id=trigger_id, view=view)

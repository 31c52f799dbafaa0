"""Slack as this app's listeners use it."""

import asyncio
import contextlib
from dataclasses import dataclass

from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from slack.errors import SlackError, as_slack_error
from slack.identity import Identity
from slack.members import Members
from slack.posting import Poster

OPENING = 2.5
"""Seconds for opening a form: its `trigger_id` lives for three."""


@dataclass(frozen=True)
class Slack:
    """The Web API, who we are in it, who may send, and how to post."""

    web: AsyncWebClient
    identity: Identity
    members: Members
    poster: Poster

    async def open_view(self, trigger_id: str, view: View) -> None:
        """Open a modal; raises `SlackError`."""
        with as_slack_error():
            async with asyncio.timeout(OPENING):
                await self.web.views_open(trigger_id=trigger_id, view=view)

    async def update_view(self, view_id: str, view_hash: str, view: View) -> None:
        """Update a modal unless it has changed since; an update that is lost or refused does no harm."""
        with contextlib.suppress(SlackError), as_slack_error():
            await self.web.views_update(view_id=view_id, hash=view_hash, view=view)

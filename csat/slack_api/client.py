"""The client of Slack's Web API, with the app's ways to post, update and ask for permissions."""

import asyncio
import logging
from collections.abc import Collection
from typing import Any

import aiohttp

from csat.clock import Clock
from csat.slack_api.errors import NoResponse, SlackError, SlackRefused, SlackUnavailable, as_slack_error
from csat.slack_api.files import FileSender
from csat.slack_api.posting import Posted, Poster
from csat.slack_api.response_urls import ResponseUrls
from csat.slack_api.responses import (
    AuthTest,
    ChannelInfo,
    ChannelMembers,
    History,
    OpenedConversation,
    Permalink,
    parse_response,
)
from csat.slack_api.shared_channels import MISSING_SCOPE, SharedChannels
from csat.slack_api.user_permissions import Permissions
from csat.slack_api.users import Users
from csat.slack_api.view_updates import ViewUpdater
from csat.slack_api.web_client import WebClient
from csat.surveys.limits import PreviousSurvey

Json = dict[str, Any]

HISTORY_LIMIT = 100
"""How many messages of a conversation are searched."""

MEMBERS_PER_PAGE = 1_000
MAX_MEMBER_PAGES = 3
"""Of the members of a channel, as a survey waits for them."""

UNSUPPORTED_BLOCKS = frozenset({"invalid_blocks", "invalid_arguments"})
"""Errors of workspaces where Slack does not support charts and tables yet."""

log = logging.getLogger(__name__)


class SlackClient:
    """The Web API of one workspace.

    Args:
        web: the SDK's client, with the bot's token.
        session: the HTTP session that all calls share.
        api_url: the base URL of the Web API.
        clock: the current time.
        agents: the users and user groups that may send surveys; empty for all full members.
        supervisors: the users and user groups that may see results.
    """

    def __init__(
        self,
        web: WebClient,
        session: aiohttp.ClientSession,
        api_url: str,
        clock: Clock,
        agents: Collection[str],
        supervisors: Collection[str],
    ) -> None:
        self.web = web
        self.users = Users(web)
        self.permissions = Permissions(web, self.users, self.team_id, clock, agents, supervisors)
        self.poster = Poster(web, ResponseUrls(session, api_url, web.observe), clock)
        self.views = ViewUpdater(web)
        self.shared_channels = SharedChannels(web)
        self.files = FileSender(web, session)
        self._team: tuple[str, str] | None = None
        self._authentication: asyncio.Future[tuple[str, str]] | None = None

    @property
    def known_team_id(self) -> str:
        """The id of the workspace that the app is installed in; "" until Slack has told it."""
        return self._team[0] if self._team else ""

    async def team_id(self) -> str:
        """Return the id of the workspace that the app is installed in; raises `SlackError`."""
        team_id, _ = await self._get_team()
        return team_id

    async def check_token(self) -> None:
        """Ask Slack whether it accepts the token; raises `SlackError`."""
        self._team = await self._authenticate()

    async def message_url(self, channel: str, ts: str) -> str:
        """Return the URL of a message, or "" if `ts` is empty or Slack can't be reached."""
        if not ts:
            return ""
        try:
            _, workspace_url = await self._get_team()
        except SlackError as error:
            log.info("No link to a message in %s: %s", channel, error)
            return ""
        return f"{workspace_url}archives/{channel}/p{ts.replace('.', '')}"

    async def find_permalink(self, previous: PreviousSurvey, reader_channel: str) -> str:
        """Return a link to where a survey was asked for, or "".

        Only public channels of this workspace, and the one that the reader is in, are linked.
        """
        channel, thread = previous.channel, previous.thread
        if not thread:
            return ""
        try:
            with as_slack_error():
                async with asyncio.timeout(self.web.timeouts.slack_permalink):
                    if previous.team != await self.team_id():
                        return ""
                    if channel != reader_channel and not await self._is_public_channel(channel):
                        return ""
                    response = await self.web.chat_getPermalink(channel=channel, message_ts=thread)
            return parse_response(Permalink, response).permalink
        except SlackError as error:
            log.info("No permalink for survey %s: %s", previous.survey_id, error)
            return ""

    async def find_direct_message(self, user: str, block_id: str) -> Posted | None:
        """Return the app's direct message with such a block among the latest.

        It needs the scopes `im:write` and `im:history`. Raises `SlackError`.
        """
        opened = await self.web.conversations_open(users=user)
        channel = parse_response(OpenedConversation, opened).channel.id
        history = await self.web.conversations_history(channel=channel, limit=HISTORY_LIMIT)
        messages = parse_response(History, history).messages
        return next((Posted(channel, each.ts) for each in messages if each.has_block(block_id)), None)

    async def may_be_in_channel(self, user: str, channel: str) -> bool:
        """Return False if Slack says that a user is no member of a channel; raises `SlackUnavailable`.

        Slack tells it only with the scope `channels:read`, or `groups:read` if it is private.
        """
        cursor = ""
        for _ in range(MAX_MEMBER_PAGES):
            try:
                response = await self.web.conversations_members(
                    channel=channel, limit=MEMBERS_PER_PAGE, cursor=cursor
                )
                page = parse_response(ChannelMembers, response)
            except NoResponse as error:  # it was only asked
                raise SlackUnavailable(str(error)) from error
            except SlackError as error:
                if isinstance(error, SlackUnavailable) and str(error) != MISSING_SCOPE:
                    raise
                log.info("Slack does not say who is in %s: %s", channel, error)
                return True
            if user in page.members:
                return True
            cursor = page.response_metadata.next_cursor
            if not cursor:
                return False
        return True

    async def open_view(self, trigger_id: str, view: Json) -> None:
        """Open a modal (views.open); raises `SlackError`."""
        with as_slack_error():
            async with asyncio.timeout(self.web.timeouts.slack_open_view):
                await self.web.views_open(trigger_id=trigger_id, view=view)

    async def publish_home(self, user: str, view: Json, fallback: Json) -> None:
        """Publish a user's App Home (views.publish); raises `SlackError`.

        Args:
            user: the user's id.
            view: the view.
            fallback: the same view without charts and tables, for workspaces that do not support them.
        """
        try:
            await self._publish(user, view)
        except SlackRefused as error:
            if str(error) not in UNSUPPORTED_BLOCKS or view == fallback:
                raise
            log.info("Slack refused the charts in the App Home of %s (%s): published without", user, error)
            await self._publish(user, fallback)

    async def _publish(self, user: str, view: Json) -> None:
        await self.web.views_publish(user_id=user, view=view)

    async def _get_team(self) -> tuple[str, str]:
        """Return the workspace's id and its URL, with a slash at the end."""
        if self._team is None:
            self._team = await self._authenticate()
        return self._team

    async def _authenticate(self) -> tuple[str, str]:
        """Call auth.test, or wait for the call that is under way: never longer than for one of one's own."""
        if self._authentication is None or self._authentication.done():
            self._authentication = asyncio.ensure_future(self._call_auth_test())
            self._authentication.add_done_callback(_retrieve_exception)
        return await asyncio.shield(self._authentication)

    async def _call_auth_test(self) -> tuple[str, str]:
        team = parse_response(AuthTest, await self.web.auth_test())
        return team.team_id, team.url

    async def _is_public_channel(self, channel: str) -> bool:
        response = await self.web.conversations_info(channel=channel)
        info = parse_response(ChannelInfo, response).channel
        return not (info.is_private or info.is_im)


def _retrieve_exception(future: asyncio.Future[tuple[str, str]]) -> None:
    """Keep asyncio from logging an error for which nobody waits any more."""
    if not future.cancelled():
        future.exception()

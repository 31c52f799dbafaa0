"""A fake Slack workspace."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

from starlette.applications import Starlette

from sandbox.local_asgi_server import GRACEFUL_SHUTDOWN_SECONDS, serve
from sandbox.pubsub import PubSub
from sandbox.slack.calls_and_deliveries import ApiCall, Delivery
from sandbox.slack.conversations import Channel, Conversations, Message
from sandbox.slack.faults import Faults
from sandbox.slack.files import File, Files
from sandbox.slack.fixtures import NORTHWIND, build_channels, build_directory
from sandbox.slack.freezable_websocket import FreezableWebSocketProtocol
from sandbox.slack.ids import IdGenerator
from sandbox.slack.json_types import Json
from sandbox.slack.manifest import Manifest
from sandbox.slack.response_urls import ResponseUrls
from sandbox.slack.seed_messages import post_history
from sandbox.slack.socket_mode import SocketMode
from sandbox.slack.transport import ACK_TIMEOUT_SECONDS, Transport
from sandbox.slack.trigger_ids import TRIGGER_LIFETIME, Triggers
from sandbox.slack.user_actions import UserActions
from sandbox.slack.user_directory import Team, User, Usergroup
from sandbox.slack.user_events import UserEvents
from sandbox.slack.views import View, Views
from sandbox.slack.webapi import Endpoints
from sandbox.slack.workspace_state import WorkspaceState
from sandbox.traffic_log import TrafficLog

T = TypeVar("T")


def utc_now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC)


class Workspace(UserActions, UserEvents):
    """A Slack workspace in which one app is installed.

    Start it with `serve`; the app finds the Web API at `<base_url>/api/`. To serve `app` in another way, set
    `base_url`. Payloads are delivered over Socket Mode until `deliver_over_http` sets a request URL. Users,
    channels and messages are identified by their ids, as in Slack; `sandbox.slack.fixtures` names those that
    exist at the start.

    Args:
        manifest: The app's manifest.
        clock: Returns the current time.
        pubsub: Publishes changes, for example to a page.
        traffic: Records the exchanges between Slack and the app.
        ack_timeout: The number of seconds in which the app has to acknowledge a delivery.
        trigger_lifetime: The time in which the app can open a view.
        team: Its id and its names.
    """

    def __init__(
        self,
        manifest: Json,
        clock: Callable[[], datetime] = utc_now,
        pubsub: PubSub | None = None,
        traffic: TrafficLog | None = None,
        *,
        ack_timeout: float = ACK_TIMEOUT_SECONDS,
        trigger_lifetime: timedelta = TRIGGER_LIFETIME,
        team: Team = NORTHWIND,
    ) -> None:
        self.pubsub = pubsub or PubSub()
        traffic = traffic or TrafficLog(self.pubsub)
        self._state = state = _build_state(manifest, clock, self.pubsub, traffic, team, trigger_lifetime)
        self._transport = Transport(state, ack_timeout)
        self.app = Starlette(routes=Endpoints(state).routes)
        self.bot_token, self.app_token = state.bot_token, state.app_token
        self.signing_secret = state.signing_secret
        self.team: Team = state.directory.team
        self.bot: User = state.directory.bot
        self.app_id: str = state.directory.app_id
        self.users: dict[str, User] = state.directory.users
        self.usergroups: dict[str, Usergroup] = state.directory.usergroups
        self.channels: dict[str, Channel] = state.conversations.channels
        self.files: dict[str, File] = state.files.by_id
        """The files that the app announced or uploaded."""
        self.faults: Faults = state.faults
        self.api_calls: list[ApiCall] = state.api_calls
        """The app's calls, including posts to response URLs and uploads, oldest first."""
        self.deliveries: list[Delivery] = self._transport.deliveries
        """The deliveries to the app, including retries, oldest first."""
        post_history(state)

    @contextlib.asynccontextmanager
    async def serve(
        self, port: int = 0, grace_seconds: float = GRACEFUL_SHUTDOWN_SECONDS
    ) -> AsyncIterator[str]:
        """Serve the workspace until the block ends, and yield its base URL; faults are cleared at the end."""
        async with serve(self.app, port, FreezableWebSocketProtocol, grace_seconds) as self.base_url:
            try:
                yield self.base_url
            finally:
                self.faults.clear()

    @property
    def base_url(self) -> str:
        """The URL of the fake Slack, without a trailing slash."""
        return self._state.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self._state.base_url = url.rstrip("/")

    def team_of(self, user: User) -> Team:
        """Return a user's own workspace, which can be another one."""
        return self._state.directory.get_team(user)

    def current_view(self, user: str) -> View | None:
        """Return the view on top of a user's stack."""
        return self._state.views.current(user)

    def view_stack(self, user: str) -> list[View]:
        """Return a user's stack of views, the root view first."""
        return list(self._state.views.stacks.get(user, []))

    def home_view(self, user: str) -> View | None:
        """Return the App Home that the app published for a user."""
        return self._state.views.homes.get(user)

    def messages(self, channel: str, viewer: str, *, thread_ts: str = "") -> list[Message]:
        """Return the messages that a user sees in a channel, or in a thread with its parent, oldest first."""
        return list(self._state.conversations.visible_messages(channel, viewer, thread_ts))

    def get_message(self, channel: str, ts: str) -> Message:
        """Return a message; raises `SlackError("message_not_found")`."""
        return self._state.conversations.get_message(channel, ts)

    async def wait_until(self, predicate: Callable[[], T], timeout_seconds: float = 60.0) -> T:
        """Return the first true result of a predicate, called after every published change.

        Raises `TimeoutError` if there is none in time.
        """
        if result := predicate():
            return result
        topics = cast("AsyncGenerator[str]", self.pubsub.subscribe())
        async with asyncio.timeout(timeout_seconds), contextlib.aclosing(topics):
            async for _ in topics:
                if result := predicate():
                    return result
        raise TimeoutError

    def deliver_over_http(self, request_url: str) -> None:
        """Deliver payloads to this URL from now on."""
        self._transport.request_url = request_url

    def deliver_over_socket_mode(self) -> None:
        """Deliver payloads over Socket Mode from now on."""
        self._transport.request_url = ""

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Deliver the same payload again, as a retry; its response has no effect on views or messages."""
        return await self._transport.redeliver(delivery)

    @property
    def connection_count(self) -> int:
        """The number of open connections of Socket Mode."""
        return len(self._state.socket_mode.connections)

    async def disconnect_sockets(self, reason: str = "refresh_requested") -> None:
        """Send `disconnect` over every connection of Socket Mode and close it; the app should reconnect."""
        await self._state.socket_mode.disconnect(reason)

    def freeze_sockets(self) -> None:
        """Freeze the open connections of Socket Mode: they stay open, but send and receive nothing.

        They answer neither pings nor a close, and what is delivered over them is not acknowledged. New
        connections are served as usual.
        """
        self._state.socket_mode.freeze()

    def thaw_sockets(self) -> None:
        """Let frozen connections continue, with what they received in the meantime."""
        self._state.socket_mode.thaw()

    def invite_bot(self, channel: str) -> None:
        """Add the app's bot user to a channel."""
        self.channels[channel].members.add(self.bot.id)
        self._state.conversations.publish_change()

    def remove_bot(self, channel: str) -> None:
        """Remove the app's bot user from a channel."""
        self.channels[channel].members.discard(self.bot.id)
        self._state.conversations.publish_change()

    def archive_channel(self, channel: str) -> None:
        """Archive a channel."""
        self.channels[channel].is_archived = True
        self._state.conversations.publish_change()


def _build_state(
    manifest: Json,
    clock: Callable[[], datetime],
    pubsub: PubSub,
    traffic: TrafficLog,
    team: Team,
    trigger_lifetime: timedelta,
) -> WorkspaceState:
    ids, parsed = IdGenerator(clock), Manifest.parse(manifest)
    directory, faults = build_directory(parsed, ids, team), Faults()
    return WorkspaceState(
        manifest=parsed,
        clock=clock,
        pubsub=pubsub,
        traffic=traffic,
        ids=ids,
        directory=directory,
        conversations=Conversations(build_channels(directory.bot.id), directory.bot.id, pubsub),
        views=Views(ids, pubsub),
        files=Files(ids),
        triggers=Triggers(clock, ids, trigger_lifetime),
        response_urls=ResponseUrls(clock, directory.team.id),
        socket_mode=SocketMode(directory.app_id, pubsub, faults),
        faults=faults,
        bot_token=f"xoxb-{secrets.token_hex(16)}",
        app_token=f"xapp-1-{directory.app_id}-{secrets.token_hex(16)}",
        signing_secret=secrets.token_hex(16),
        verification_token=secrets.token_hex(12),
    )

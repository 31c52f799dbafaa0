"""The pretend Slack workspace: what a person does in it, what the app is told, and what everybody sees."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import UTC, datetime
from typing import TypeVar, cast

from starlette.applications import Starlette

from sandbox.pubsub import PubSub
from sandbox.serving import serve
from sandbox.slack import fixtures
from sandbox.slack.actions import Doings
from sandbox.slack.calls import ApiCall
from sandbox.slack.conversations import Channel, Conversations, Message
from sandbox.slack.deliveries import Delivery
from sandbox.slack.directory import Team, User, Usergroup
from sandbox.slack.errors import Json
from sandbox.slack.events import Happenings
from sandbox.slack.faults import Faults
from sandbox.slack.files import File, Files
from sandbox.slack.history import perform
from sandbox.slack.ids import Identifiers
from sandbox.slack.manifest import Manifest
from sandbox.slack.response_urls import ResponseUrls
from sandbox.slack.socket_mode import Sockets
from sandbox.slack.transport import ACK_SECONDS, Courier
from sandbox.slack.triggers import Triggers
from sandbox.slack.user import Visits
from sandbox.slack.views import View, Views
from sandbox.slack.webapi import Door
from sandbox.slack.websocket import Line
from sandbox.slack.workspace_state import State
from sandbox.traffic import TrafficLog

T = TypeVar("T")


def utc_now() -> datetime:
    """Tell the time of this machine, aware and in UTC."""
    return datetime.now(UTC)


class Workspace(Visits):
    """A Slack workspace with one app installed, as its `manifest` describes it.

    `serving` serves it; the app finds Slack's Web API at `<base>/api/`. Whoever serves `app` in another way
    sets `base_url`. Deliveries go over Socket Mode until `deliver_over_http` names a request URL. People,
    channels and messages are named by their ids; `sandbox.slack.fixtures` names those to begin with.
    `ack_timeout` is how long Slack waits for the app: tests of what comes too late make it short.
    """

    def __init__(
        self,
        manifest: Json,
        clock: Callable[[], datetime] = utc_now,
        pubsub: PubSub | None = None,
        traffic: TrafficLog | None = None,
        *,
        ack_timeout: float = ACK_SECONDS,
    ) -> None:
        self.pubsub = pubsub or PubSub()
        self._state = state = _state(manifest, clock, self.pubsub, traffic or TrafficLog(self.pubsub))
        self._courier = Courier(state, ack_timeout)
        super().__init__(Doings(state, self._courier), Happenings(state, self._courier))
        self.app = Starlette(routes=Door(state).routes)
        self.bot_token, self.app_token = state.bot_token, state.app_token
        self.signing_secret = state.signing_secret
        self.team: Team = state.directory.team
        self.bot: User = state.directory.bot
        self.app_id: str = state.directory.app_id
        self.users: dict[str, User] = state.directory.users
        self.usergroups: dict[str, Usergroup] = state.directory.usergroups
        self.channels: dict[str, Channel] = state.conversations.channels
        self.files: dict[str, File] = state.files.known
        """What the app uploaded, or said that it would."""
        self.faults: Faults = state.faults
        self.api_calls: list[ApiCall] = state.calls
        """Every Web API call and `response_url` post, oldest first."""
        self.deliveries: list[Delivery] = self._courier.deliveries
        """Everything that was delivered to the app, oldest first; a repeat counts again."""
        perform(state)

    @contextlib.asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[str]:
        """Serve the workspace until the block ends, and yield its base URL; faults end with the block."""
        async with serve(self.app, port, Line) as self.base_url:
            try:
                yield self.base_url
            finally:
                self.faults.clear()

    @property
    def base_url(self) -> str:
        """Where the pretend Slack is served, without a slash at the end."""
        return self._state.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self._state.base_url = url.rstrip("/")

    def current_view(self, user: str) -> View | None:
        """Return the form on top of this person's stack."""
        return self._state.views.top(user)

    def view_stack(self, user: str) -> list[View]:
        """Return this person's stack of forms, the root first."""
        return list(self._state.views.stacks.get(user, []))

    def home_view(self, user: str) -> View | None:
        """Return the Home that the app published for this person."""
        return self._state.views.homes.get(user)

    def messages(self, channel: str, viewer: str, *, thread_ts: str = "") -> list[Message]:
        """Return what the viewer sees of a channel, or of a thread with its parent first; oldest first."""
        return list(self._state.conversations.seen(channel, viewer, thread_ts))

    def get_message(self, channel: str, ts: str) -> Message:
        """Return one message; `SlackError("message_not_found")` when there is none."""
        return self._state.conversations.message(channel, ts)

    async def wait_until(self, predicate: Callable[[], T], timeout_seconds: float = 2.0) -> T:
        """Return the predicate's first true answer, checked after every change; raises `TimeoutError`."""
        if found := predicate():
            return found
        topics = cast("AsyncGenerator[str]", self.pubsub.subscribe())
        async with asyncio.timeout(timeout_seconds), contextlib.aclosing(topics):
            async for _ in topics:
                if found := predicate():
                    return found
        raise TimeoutError

    @property
    def connection_count(self) -> int:
        """How many connections of Socket Mode are open."""
        return len(self._state.sockets.open)

    def deliver_over_http(self, request_url: str) -> None:
        """Send everything to this URL from now on, signed as Slack signs."""
        self._courier.request_url = request_url

    def deliver_over_socket_mode(self) -> None:
        """Send everything over Socket Mode again."""
        self._courier.request_url = ""

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Deliver the very same payload once more, marked as a retry; its answer changes no form."""
        return await self._courier.again(delivery)

    async def disconnect_sockets(self, reason: str = "refresh_requested") -> None:
        """Say `disconnect` on every socket and close it; the app is expected to come back."""
        await self._state.sockets.disconnect(reason)

    def freeze_sockets(self) -> None:
        """Let the sockets that are open fall silent: no pong, no answer to a close, and yet they stay open.

        What is delivered to one of them is not acknowledged. New connections are served as ever.
        """
        self._state.sockets.freeze()

    def thaw_sockets(self) -> None:
        """Let frozen sockets go on, with what they have missed."""
        self._state.sockets.thaw()

    def invite_bot(self, channel: str) -> None:
        """Make the app a member of a channel."""
        self.channels[channel].members.add(self.bot.id)
        self._state.conversations.changed()

    def remove_bot(self, channel: str) -> None:
        """Put the app outside a channel."""
        self.channels[channel].members.discard(self.bot.id)
        self._state.conversations.changed()

    def archive_channel(self, channel: str) -> None:
        """Archive a channel: nobody can post there any more."""
        self.channels[channel].is_archived = True
        self._state.conversations.changed()


def _state(manifest: Json, clock: Callable[[], datetime], pubsub: PubSub, traffic: TrafficLog) -> State:
    ids, known = Identifiers(clock), Manifest.read(manifest)
    directory, faults = fixtures.directory(known, ids), Faults()
    return State(
        manifest=known,
        clock=clock,
        pubsub=pubsub,
        traffic=traffic,
        ids=ids,
        directory=directory,
        conversations=Conversations(fixtures.channels(directory.bot.id), directory.bot.id, pubsub),
        views=Views(ids, pubsub),
        files=Files(ids),
        triggers=Triggers(clock, ids),
        response_urls=ResponseUrls(clock, directory.team.id),
        sockets=Sockets(directory.app_id, pubsub, faults),
        bot_token=f"xoxb-{secrets.token_hex(16)}",
        app_token=f"xapp-1-{directory.app_id}-{secrets.token_hex(16)}",
        signing_secret=secrets.token_hex(16),
        verification_token=secrets.token_hex(12),
        faults=faults,
    )

"""What stands on the left: a person's Slack."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.page.display_names import DisplayNames
from sandbox.page.message_rows import MessageRow, MessageRows
from sandbox.page.unread import UnreadTracker
from sandbox.page.url_state import UrlState
from sandbox.slack import Channel, Message, User, View, Workspace

Json = dict[str, Any]

APP = "app"
"""Stands in an address for the direct message with the app, as long as there is none."""
HOME = "home"
"""Stands in an address for the app's Home."""


@dataclass(frozen=True)
class SidebarEntry:
    """One line of the side bar."""

    id: str
    name: str
    kind: str
    unread: int = 0
    is_archived: bool = False


class SlackPane:
    """Everything that one look shows of Slack."""

    def __init__(
        self,
        workspace: Workspace,
        manifest: Json,
        reading: UnreadTracker,
        look: UrlState,
        supervisors: frozenset[str] = frozenset(),
    ) -> None:
        self.workspace = workspace
        self.look = look
        self.names = DisplayNames(workspace)
        self._manifest = manifest
        self._supervisors = supervisors
        app_home = manifest.get("features", {}).get("app_home", {})
        self._has_home_tab = bool(app_home.get("home_tab_enabled"))
        self._reading = reading
        self.people = [user for user in workspace.users.values() if not user.is_bot]
        known = {user.id: user for user in self.people}
        self.person: User = known.get(look.person) or self.people[0]
        self.channel = self._channel()
        self._rows = MessageRows(workspace, self.names, reading, self.person.id)
        self._messages = [] if self.is_at_home else self._read("")
        self._replies = self._read(look.thread) if look.thread else []

    @property
    def app_name(self) -> str:
        """What the app is called."""
        return self.workspace.bot.real_name

    @property
    def commands(self) -> list[Json]:
        """The slash commands of the manifest."""
        return self._features("slash_commands")

    @property
    def shortcuts(self) -> list[Json]:
        """The message shortcuts of the manifest."""
        return [shortcut for shortcut in self._features("shortcuts") if shortcut["type"] == "message"]

    def role(self, user: User) -> str:
        """Tell in a word what somebody is to the app."""
        if user.is_stranger:
            return "another team"
        if user.id in self._supervisors:
            return "supervisor"
        return "guest" if user.is_restricted else "agent"

    @property
    def supervisor(self) -> User | None:
        """Return somebody who may see results."""
        return next((user for user in self.people if user.id in self._supervisors), None)

    def entries(self) -> Iterator[SidebarEntry]:
        """List the person's channels and direct messages."""
        for channel in self._visible():
            yield self._entry(channel)
        if not (self._with_app() or self.person.is_stranger):
            yield SidebarEntry(APP, self.app_name, "app")

    @property
    def title(self) -> SidebarEntry:
        """Name the conversation on show."""
        return self._entry(self.channel) if self.channel else SidebarEntry(APP, self.app_name, "app")

    @property
    def bot_is_inside(self) -> bool:
        """Tell whether the app is a member of the conversation on show."""
        return bool(self.channel and self.workspace.bot.id in self.channel.members)

    def rows(self) -> list[MessageRow]:
        """List the messages of the channel."""
        return list(self._rows.of_channel(self._messages))

    def thread(self) -> list[MessageRow]:
        """List the thread that stands open, its parent first."""
        return list(self._rows.of_thread(self._replies))

    @property
    def has_results(self) -> bool:
        """Tell whether there is somebody to see results, and a Home to see them in."""
        return self._has_home_tab and self.supervisor is not None

    @property
    def has_home(self) -> bool:
        """Tell whether the app has a Home for this person."""
        return self._has_home_tab and not self.person.is_stranger

    @property
    def has_tabs(self) -> bool:
        """Tell whether the conversation on show is the one with the app, beside which its Home is."""
        return self.has_home and self.title.kind == "app"

    @property
    def is_at_home(self) -> bool:
        """Tell whether the app's Home is on show."""
        return self.has_tabs and self.look.tab == HOME

    @property
    def home(self) -> View | None:
        """Return the Home that the app published for this person."""
        return self.workspace.home_view(self.person.id)

    def offered(self, kind: str) -> list[Json]:
        """Return what a `users_select`, `channels_select` or `conversations_select` offers this person."""
        if kind == "users_select":
            return [_option(user.id, user.real_name) for user in self.people]
        seen = [self._entry(channel) for channel in self._visible()]
        public = kind == "channels_select"
        return [_option(it.id, it.name) for it in seen if not public or it.kind in {"public", "shared"}]

    @property
    def form(self) -> View | None:
        """Return the form on top."""
        return self.workspace.current_view(self.person.id)

    def _features(self, kind: str) -> list[Json]:
        """Return what the app offers; to people of other teams, where it is not installed, nothing."""
        return [] if self.person.is_stranger else list(self._manifest.get("features", {}).get(kind, []))

    def _read(self, thread: str) -> list[Message]:
        """Return the messages on show, and remember that they were seen."""
        if not self.channel:
            return []
        messages = self.workspace.messages(self.channel.id, self.person.id, thread_ts=thread)
        self._reading.mark(self.person.id, messages, thread)
        return messages

    def _channel(self) -> Channel | None:
        if self.look.channel == APP and not self.person.is_stranger:
            return self._with_app()
        visible = self._visible()
        return next((channel for channel in visible if channel.id == self.look.channel), visible[0])

    def _visible(self) -> list[Channel]:
        return [channel for channel in self.workspace.channels.values() if self._sees(channel)]

    def _sees(self, channel: Channel) -> bool:
        is_guest = self.person.is_restricted or self.person.is_stranger
        return self.person.id in channel.members or not (channel.is_private or channel.is_im or is_guest)

    def _with_app(self) -> Channel | None:
        pair = {self.person.id, self.workspace.bot.id}
        channels = self.workspace.channels.values()
        return next((channel for channel in channels if channel.is_im and channel.members == pair), None)

    def _entry(self, channel: Channel) -> SidebarEntry:
        name = self.names.channel(channel, self.person.id)
        unread = self._reading.unread(self.person.id, channel.messages)
        return SidebarEntry(channel.id, name, self._kind(channel), unread, channel.is_archived)

    def _kind(self, channel: Channel) -> str:
        if channel.is_im:
            return "app" if self.workspace.bot.id in channel.members else "person"
        if channel.is_ext_shared:
            return "shared"
        return "private" if channel.is_private else "public"


def _option(value: str, name: str) -> Json:
    return {"text": {"type": "plain_text", "text": name}, "value": value}

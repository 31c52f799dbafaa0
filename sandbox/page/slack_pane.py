"""The Slack pane: one person's view of the workspace."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sandbox.page.display_names import DisplayNames
from sandbox.page.message_rows import MessageRow, MessageRowBuilder
from sandbox.page.unread_messages import UnreadTracker
from sandbox.page.url_state import UrlState
from sandbox.slack import Channel, Message, Team, User, View, Workspace

Json = dict[str, Any]

APP = "app"
"""Used instead of a channel id for the direct message with the app, which may not exist yet."""
HOME = "home"


@dataclass(frozen=True)
class SidebarEntry:
    """A channel or direct message in the sidebar."""

    id: str
    name: str
    kind: str
    """`public`, `private`, `shared`, `person` or `app`."""
    unread_count: int = 0
    is_archived: bool = False


class SlackPane:
    """Everything that the templates show of Slack."""

    def __init__(
        self,
        workspace: Workspace,
        manifest: Json,
        unread: UnreadTracker,
        url_state: UrlState,
        supervisors: frozenset[str] = frozenset(),
    ) -> None:
        self.workspace = workspace
        self.url_state = url_state
        self.names = DisplayNames(workspace)
        self._manifest = manifest
        self._supervisors = supervisors
        app_home = manifest.get("features", {}).get("app_home", {})
        self._home_tab_enabled = bool(app_home.get("home_tab_enabled"))
        self._is_messages_tab_read_only = bool(app_home.get("messages_tab_read_only_enabled"))
        self._unread = unread
        members = set[str]().union(*(channel.members for channel in workspace.channels.values()))
        self.people = [user for user in workspace.users.values() if not user.is_bot and user.id in members]
        people_by_id = {user.id: user for user in self.people}
        self.person: User = people_by_id.get(url_state.person) or self.people[0]
        self.channel = self._find_channel()
        self._row_builder = MessageRowBuilder(workspace, self.names, unread, self.person.id)
        self._messages = [] if self.is_on_home_tab else self._read_messages("")
        self._thread_messages = self._read_messages(url_state.thread) if url_state.thread else []

    @property
    def app_name(self) -> str:
        """The app's display name."""
        return self.workspace.bot.real_name

    @property
    def commands(self) -> list[Json]:
        """The slash commands in the manifest."""
        return self._features("slash_commands")

    @property
    def app_command(self) -> str:
        """The name of the app's command, whoever looks."""
        return next((command["command"] for command in self._manifest_features("slash_commands")), "/")

    @property
    def app_shortcut(self) -> str:
        """The name of the app's shortcut, whoever looks."""
        return next((shortcut["name"] for shortcut in self._manifest_features("shortcuts")), "a shortcut")

    @property
    def message_shortcuts(self) -> list[Json]:
        """The message shortcuts in the manifest."""
        return [shortcut for shortcut in self._features("shortcuts") if shortcut["type"] == "message"]

    def role(self, user: User) -> str:
        """Return a person's role."""
        if self._is_external(user):
            return "customer"
        if user.id in self._supervisors:
            return "supervisor"
        return "guest" if user.is_restricted else "agent"

    def limits(self, user: User) -> str:
        """Return why the app can't message a person directly, or an empty string."""
        if user.is_stranger:
            return "no shared channel"
        return "" if user.accepts_dms else "no direct messages"

    def people_by_team(self) -> Iterator[tuple[str, list[User]]]:
        """Yield the name of each workspace with its people."""
        for team, people in groupby(self.people, self.workspace.team_of):
            yield team.name, list(people)

    @property
    def team(self) -> Team:
        """The person's own workspace."""
        return self.workspace.team_of(self.person)

    @property
    def customer(self) -> User:
        """A customer in a shared channel."""
        return next(user for user in self.people if self._is_external(user))

    def others_with_news(self) -> Iterator[User]:
        """Yield the other people who have not read a direct message from the app."""
        for user in self.people:
            app_channel = self._find_app_channel(user)
            messages = app_channel.messages if app_channel else []
            if user != self.person and self._unread.count_unread(user.id, messages):
                yield user

    @property
    def supervisor(self) -> User | None:
        """A person who may see results."""
        return next((user for user in self.people if user.id in self._supervisors), None)

    def sidebar_entries(self) -> Iterator[SidebarEntry]:
        """Yield the person's channels and direct messages."""
        for channel in self._visible_channels():
            yield self._build_entry(channel)
        if not (self._find_app_channel(self.person) or self._is_external(self.person)):
            yield SidebarEntry(APP, self.app_name, "app")

    @property
    def current(self) -> SidebarEntry:
        """The open channel or direct message."""
        return self._build_entry(self.channel) if self.channel else SidebarEntry(APP, self.app_name, "app")

    @property
    def is_app_member(self) -> bool:
        """True if the app is a member of the open channel."""
        return bool(self.channel and self.workspace.bot.id in self.channel.members)

    def channel_rows(self) -> list[MessageRow]:
        """Return the messages of the open channel."""
        return list(self._row_builder.build_channel(self._messages))

    def thread_rows(self) -> list[MessageRow]:
        """Return the messages of the open thread, starting with its parent."""
        return list(self._row_builder.build_thread(self._thread_messages))

    @property
    def has_results(self) -> bool:
        """True if the app has a Home tab, and a supervisor to see results on it."""
        return self._home_tab_enabled and self.supervisor is not None

    @property
    def has_home_tab(self) -> bool:
        """True if the app has a Home tab for this person."""
        return self._home_tab_enabled and not self._is_external(self.person)

    @property
    def has_tabs(self) -> bool:
        """True if the open direct message is the one with the app, which has tabs."""
        return self.has_home_tab and self.current.kind == "app"

    @property
    def is_read_only(self) -> bool:
        """True if the open direct message is the one with the app, to which nobody can write."""
        return self._is_messages_tab_read_only and self.current.kind == "app"

    @property
    def is_on_home_tab(self) -> bool:
        """True if the app's Home tab is open."""
        return self.has_tabs and self.url_state.tab == HOME

    @property
    def home_view(self) -> View | None:
        """The Home tab that the app published for this person."""
        return self.workspace.home_view(self.person.id)

    @property
    def modal(self) -> View | None:
        """The modal on top of this person's stack."""
        return self.workspace.current_view(self.person.id)

    def options(self, element_type: str) -> list[Json]:
        """Return the options of a `users_select`, `channels_select` or `conversations_select`."""
        if element_type == "users_select":
            return [_build_option(user.id, user.real_name) for user in self.people]
        kinds = {"public", "shared"} if element_type == "channels_select" else None
        entries = [self._build_entry(channel) for channel in self._visible_channels()]
        return [_build_option(entry.id, entry.name) for entry in entries if not kinds or entry.kind in kinds]

    def _features(self, kind: str) -> list[Json]:
        """Return features that the person has; other organizations don't have the app installed."""
        return [] if self._is_external(self.person) else self._manifest_features(kind)

    def _manifest_features(self, kind: str) -> list[Json]:
        return list(self._manifest.get("features", {}).get(kind, []))

    def _is_external(self, user: User) -> bool:
        return self.workspace.team_of(user) != self.workspace.team

    def _read_messages(self, thread: str) -> list[Message]:
        """Return messages of the open channel or thread, and mark them as read."""
        if not self.channel:
            return []
        messages = self.workspace.messages(self.channel.id, self.person.id, thread_ts=thread)
        self._unread.mark_read(self.person.id, messages, thread)
        return messages

    def _find_channel(self) -> Channel | None:
        if self.url_state.channel == APP:
            app_channel = self._find_app_channel(self.person)
            if app_channel or not self._is_external(self.person):
                return app_channel
        channels = self._visible_channels()
        return next((channel for channel in channels if channel.id == self.url_state.channel), channels[0])

    def _visible_channels(self) -> list[Channel]:
        return [channel for channel in self.workspace.channels.values() if self._can_see(channel)]

    def _can_see(self, channel: Channel) -> bool:
        is_guest = self.person.is_restricted or self._is_external(self.person)
        return self.person.id in channel.members or not (channel.is_private or channel.is_im or is_guest)

    def _find_app_channel(self, person: User) -> Channel | None:
        members = {person.id, self.workspace.bot.id}
        channels = self.workspace.channels.values()
        return next((channel for channel in channels if channel.is_im and channel.members == members), None)

    def _build_entry(self, channel: Channel) -> SidebarEntry:
        name = self.names.channel(channel, self.person.id)
        unread_count = self._unread.count_unread(self.person.id, channel.messages)
        return SidebarEntry(channel.id, name, self._kind(channel), unread_count, channel.is_archived)

    def _kind(self, channel: Channel) -> str:
        if channel.is_im:
            return "app" if self.workspace.bot.id in channel.members else "person"
        if channel.is_ext_shared:
            return "shared"
        return "private" if channel.is_private else "public"


def _build_option(value: str, name: str) -> Json:
    return {"text": {"type": "plain_text", "text": name}, "value": value}

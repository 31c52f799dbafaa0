"""Actions of users that the app receives as an event, if its manifest subscribes to it."""

from sandbox.slack import payloads
from sandbox.slack.conversations import Channel, Message
from sandbox.slack.errors import SlackError
from sandbox.slack.json_types import Json
from sandbox.slack.transport import EVENTS_API, Transport
from sandbox.slack.views import View
from sandbox.slack.workspace_state import WorkspaceState

CHANNEL_TYPES = {"channels": "channel", "groups": "group", "im": "im"}


class UserEvents:
    """A user's actions that cause events; each raises `SlackError` if Slack itself rejects it."""

    _state: WorkspaceState
    _transport: Transport

    async def send_event(self, event: Json, subscription: str = "") -> None:
        """Deliver an event; raises `SlackError("not_subscribed")` if the manifest does not subscribe to it.

        `subscription` is the event's name in the manifest, if it differs from its type.
        """
        if (subscription or event["type"]) not in self._state.manifest.events:
            raise SlackError("not_subscribed")
        await self._transport.deliver(EVENTS_API, payloads.event_callback(self._state, event))

    async def post_message(
        self, user: str, channel: str, text: str, *, thread_ts: str = "", broadcast: bool = False
    ) -> Message:
        """Post a user's message; a reply can be shown in the channel too."""
        conversation = self._state.conversations.get_channel(channel)
        if conversation.is_archived:
            raise SlackError("is_archived")
        is_with_app = conversation.is_im and self._state.bot_id in conversation.members
        if is_with_app and self._state.manifest.is_messages_tab_read_only:
            raise SlackError("restricted_action", "Sending messages to this app has been turned off.")
        message = Message(
            self._state.ids.new_ts(), channel, user, text, thread_ts=thread_ts, broadcast=broadcast
        )
        self._state.conversations.add_message(message)
        event = {**payloads.message_as_json(self._state, message), "channel": channel}
        channel_type = CHANNEL_TYPES[conversation.api_type]
        await self._send_if_subscribed(
            conversation, {**event, "channel_type": channel_type}, f"message.{conversation.api_type}"
        )
        if f"<@{self._state.bot_id}>" in text:
            await self._send_if_subscribed(conversation, {**event, "type": "app_mention"}, "app_mention")
        return message

    async def add_reaction(self, user: str, channel: str, ts: str, reaction: str) -> None:
        """Add a user's reaction to a message."""
        message = self._state.conversations.get_message(channel, ts)
        if user in message.reactions.setdefault(reaction, []):
            raise SlackError("already_reacted")
        message.reactions[reaction].append(user)
        self._state.conversations.publish_change()
        event = {
            "type": "reaction_added",
            "user": user,
            "reaction": reaction,
            "item": {"type": "message", "channel": channel, "ts": ts},
            **({"item_user": message.user} if message.user else {}),
        }
        conversation = self._state.conversations.get_channel(channel)
        await self._send_if_subscribed(conversation, event, "reaction_added")

    async def open_home(self, user: str, tab: str = "home") -> View | None:
        """Open the `home` or `messages` tab of the App Home, and return the user's Home.

        Nothing happens if the manifest does not enable the tab, or for users of other teams. See
        https://docs.slack.dev/reference/events/app_home_opened.
        """
        manifest, home = self._state.manifest, self._state.views.homes.get(user)
        is_enabled = {"home": manifest.has_home_tab, "messages": manifest.has_messages_tab}[tab]
        directory = self._state.directory
        if not is_enabled or directory.is_external(directory.get_user(user)):
            return None
        channel = self._state.conversations.open_dm(user, self._state.ids.new_id("D"))
        event: Json = {"type": "app_home_opened", "user": user, "channel": channel.id, "tab": tab}
        if home and tab == "home":
            event["view"] = payloads.view_as_json(self._state, home)
        if event["type"] in manifest.events:
            await self.send_event(event)
        return self._state.views.homes.get(user)

    async def set_usergroup_members(self, usergroup: str, users: list[str]) -> None:
        """Replace the members of a user group."""
        group = self._state.directory.get_usergroup(usergroup)
        added, removed = set(users) - set(group.users), set(group.users) - set(users)
        group.users[:] = users
        now = int(self._state.clock().timestamp())
        event = {
            "type": "subteam_members_changed",
            "subteam_id": usergroup,
            "team_id": self._state.team_id,
            "date_previous_update": now,
            "date_update": now,
            "added_users": sorted(added),
            "added_users_count": len(added),
            "removed_users": sorted(removed),
            "removed_users_count": len(removed),
        }
        if event["type"] in self._state.manifest.events:
            await self.send_event(event)

    async def _send_if_subscribed(self, channel: Channel, event: Json, subscription: str) -> None:
        """Deliver an event of a channel, if the bot is a member and the manifest subscribes to it."""
        if self._state.bot_id in channel.members and subscription in self._state.manifest.events:
            await self.send_event(event, subscription)

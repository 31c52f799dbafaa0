"""What the app hears of through the Events API, where its manifest asks for it."""

from sandbox.slack import payloads
from sandbox.slack.conversations import Channel, Message
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.transport import Courier
from sandbox.slack.views import View
from sandbox.slack.workspace_state import State

EVENTS = "events_api"
CHANNEL_TYPE = {"channels": "channel", "groups": "group", "im": "im"}


class Happenings:
    """Lets something happen, and tells the app."""

    def __init__(self, state: State, courier: Courier) -> None:
        self._state = state
        self._courier = courier

    async def event(self, told: Json, subscription: str = "") -> None:
        """Deliver an event; `SlackError("not_subscribed")` where the manifest does not ask for it."""
        if (subscription or told["type"]) not in self._state.manifest.events:
            raise SlackError("not_subscribed")
        await self._courier.deliver(EVENTS, payloads.event(self._state, told))

    async def say(self, user: str, channel_id: str, text: str, thread_ts: str) -> Message:
        """Post a person's message."""
        channel = self._state.conversations.channel(channel_id)
        if channel.is_archived:
            raise SlackError("is_archived")
        message = Message(self._state.ids.ts(), channel_id, user, text, thread_ts=thread_ts)
        self._state.conversations.add(message)
        told = {**message.as_json(self._state.team_id), "channel": channel_id}
        where = {"channel_type": CHANNEL_TYPE[channel.api_type]}
        await self._tell(channel, {**told, **where}, f"message.{channel.api_type}")
        if f"<@{self._state.bot_id}>" in text:
            await self._tell(channel, {**told, "type": "app_mention"}, "app_mention")
        return message

    async def react(self, user: str, channel_id: str, ts: str, reaction: str) -> None:
        """Add a reaction to a message."""
        message = self._state.conversations.message(channel_id, ts)
        if user in message.reactions.setdefault(reaction, []):
            raise SlackError("already_reacted")
        message.reactions[reaction].append(user)
        self._state.conversations.changed()
        item = {"type": "message", "channel": channel_id, "ts": ts}
        told = {"type": "reaction_added", "user": user, "reaction": reaction, "item": item}
        author = {"item_user": message.user} if message.user else {}
        await self._tell(self._state.conversations.channel(channel_id), {**told, **author}, "reaction_added")

    async def open_home(self, user_id: str, tab: str) -> View | None:
        """Open a tab of the app's Home: https://docs.slack.dev/reference/events/app_home_opened."""
        manifest, home = self._state.manifest, self._state.views.homes.get(user_id)
        offered = {"home": manifest.has_home_tab, "messages": manifest.has_messages_tab}
        if not offered[tab] or self._state.directory.user(user_id).is_stranger:
            return None
        channel = self._state.conversations.direct(self._state.ids.make("D"), user_id)
        told: Json = {"type": "app_home_opened", "user": user_id, "channel": channel.id, "tab": tab}
        if home and tab == "home":
            told["view"] = payloads.view_json(self._state, home)
        if told["type"] in manifest.events:
            await self.event(told)
        return self._state.views.homes.get(user_id)

    async def regroup(self, usergroup_id: str, users: list[str]) -> None:
        """Give a user group other members."""
        group = self._state.directory.usergroup(usergroup_id)
        added, removed = set(users) - set(group.users), set(group.users) - set(users)
        group.users[:] = users
        now = int(self._state.clock().timestamp())
        told = {
            "type": "subteam_members_changed",
            "subteam_id": usergroup_id,
            "team_id": self._state.team_id,
            "date_previous_update": now,
            "date_update": now,
            "added_users": sorted(added),
            "added_users_count": len(added),
            "removed_users": sorted(removed),
            "removed_users_count": len(removed),
        }
        if told["type"] in self._state.manifest.events:
            await self.event(told)

    async def _tell(self, channel: Channel, told: Json, subscription: str) -> None:
        if self._state.bot_id in channel.members and subscription in self._state.manifest.events:
            await self.event(told, subscription)

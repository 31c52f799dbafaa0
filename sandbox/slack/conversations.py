"""Conversations and their messages."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.pubsub import PubSub
from sandbox.slack.errors import SlackError
from sandbox.slack.interactive_elements import state_values
from sandbox.slack.json_types import Json, StateValues


@dataclass
class Message:
    """A message in a conversation."""

    ts: str
    channel: str
    user: str
    """The id of the author, a user or a bot user; empty for a legacy bot without a bot user."""
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str = ""
    """The parent's `ts` in a reply and, as soon as it has replies, in the parent itself."""
    bot_id: str = ""
    app_id: str = ""
    username: str = ""
    """The name of a legacy bot."""
    visible_to: str = ""
    """The user to whom an ephemeral message is shown; empty for other messages."""
    metadata: Json = field(default_factory=dict)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    """User ids by reaction."""
    edited_ts: str = ""
    unfurl_links: bool = True
    unfurl_media: bool = True
    broadcast: bool = False
    """True for a reply that is also shown in the channel."""
    files: list[Json] = field(default_factory=list)
    values: StateValues = field(default_factory=dict)
    """The values of its interactive elements."""

    @property
    def is_edited(self) -> bool:
        """True if its content was replaced."""
        return bool(self.edited_ts)

    @property
    def is_reply(self) -> bool:
        """True if it is in a thread and not the thread's parent."""
        return bool(self.thread_ts) and self.thread_ts != self.ts

    def as_json(self, team: str) -> Json:
        """Return the message as in Slack's API."""
        message: Json = {"type": "message", "ts": self.ts, "text": self.text, "team": team}
        if self.username:
            message |= {"subtype": "bot_message", "username": self.username}
        reactions = [
            {"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items()
        ]
        optional = {
            "user": self.user,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "blocks": self.blocks,
            "attachments": self.attachments,
            "files": self.files,
            "thread_ts": self.thread_ts,
            "metadata": self.metadata,
            "reactions": reactions,
            "edited": {"user": self.user, "ts": self.edited_ts} if self.is_edited else {},
        }
        return {**message, **{name: value for name, value in optional.items() if value}}

    def replace_content(self, text: str, blocks: list[Json], attachments: list[Json], edited_ts: str) -> None:
        """Replace the content, and keep the values of elements that stay."""
        self.text, self.blocks, self.attachments, self.edited_ts = text, blocks, attachments, edited_ts
        self.values = state_values(blocks, self.values)


@dataclass
class Channel:
    """A conversation: a public or private channel, a Slack Connect channel or a direct message."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    is_pending_ext_shared: bool = False
    """True once another organization was invited, until it accepts."""
    messages: list[Message] = field(default_factory=list)

    @property
    def payload_name(self) -> str:
        """The name in payloads, where Slack hides the names of private conversations."""
        return "directmessage" if self.is_im else "privategroup" if self.is_private else self.name

    @property
    def api_type(self) -> str:
        """The type in scopes and event subscriptions: `channels`, `groups` or `im`."""
        return "im" if self.is_im else "groups" if self.is_private else "channels"

    def as_json(self, bot: str) -> Json:
        """Return the channel as in `conversations.info`."""
        channel: Json = {
            "id": self.id,
            "created": 1_760_000_000,
            "is_channel": not self.is_im and not self.is_private,
            "is_group": self.is_private,
            "is_im": self.is_im,
            "is_mpim": False,
            "is_private": self.is_private or self.is_im,
            "is_archived": self.is_archived,
            "is_general": False,
            "is_shared": self.is_ext_shared,
            "is_ext_shared": self.is_ext_shared,
            "is_pending_ext_shared": self.is_pending_ext_shared,
            "is_org_shared": False,
        }
        if self.is_im:
            return {**channel, "user": next(iter(self.members - {bot}), bot)}
        return {**channel, "name": self.name, "name_normalized": self.name, "is_member": bot in self.members}


class Conversations:
    """The workspace's conversations, with the bot's access to them."""

    def __init__(self, channels: dict[str, Channel], bot: str, pubsub: PubSub) -> None:
        self.channels = channels
        self._bot = bot
        self._pubsub = pubsub

    def get_channel(self, channel_id: str) -> Channel:
        """Return a channel; raises `SlackError("channel_not_found")`."""
        if channel_id not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel_id]

    def get_visible_to_bot(self, channel_id: str) -> Channel:
        """Return a channel if it is public or the bot is a member; else raises `channel_not_found`."""
        channel = self.get_channel(channel_id)
        if (channel.is_private or channel.is_im) and self._bot not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def get_writable_by_bot(self, channel_id: str, *, can_write_public: bool) -> Channel:
        """Return a channel if the bot may post there; `can_write_public` is the scope `chat:write.public`."""
        channel = self.get_visible_to_bot(channel_id)
        if channel.is_archived:
            raise SlackError("is_archived")
        if self._bot not in channel.members and not can_write_public:
            raise SlackError("not_in_channel")
        return channel

    def open_dm(self, user: str, new_id: str) -> Channel:
        """Return the direct message between the bot and a user, created with `new_id` if necessary."""
        for channel in self.channels.values():
            if channel.is_im and channel.members == {self._bot, user}:
                return channel
        self.channels[new_id] = Channel(new_id, "", {self._bot, user}, is_im=True)
        return self.channels[new_id]

    def add_message(self, message: Message) -> Message:
        """Add a message to its channel, and to its thread if it names one."""
        channel = self.get_channel(message.channel)
        if message.thread_ts:
            parent = self.get_message(message.channel, message.thread_ts)
            message.thread_ts = parent.thread_ts or parent.ts
            if not message.visible_to:
                parent.thread_ts = message.thread_ts
        message.values = state_values(message.blocks)
        channel.messages.append(message)
        self.publish_change()
        return message

    def get_message(self, channel_id: str, ts: str) -> Message:
        """Return a message; raises `SlackError("message_not_found")`."""
        for message in self.get_channel(channel_id).messages:
            if message.ts == ts:
                return message
        raise SlackError("message_not_found")

    def remove_message(self, message: Message) -> None:
        """Remove a message from its channel."""
        self.get_channel(message.channel).messages.remove(message)
        self.publish_change()

    def has_replies(self, channel_id: str, ts: str) -> bool:
        """Return True if a message has replies that are not ephemeral."""
        replies = (message for message in self.get_channel(channel_id).messages if message.is_reply)
        return any(reply.thread_ts == ts and not reply.visible_to for reply in replies)

    def visible_messages(self, channel_id: str, viewer: str, thread_ts: str = "") -> Iterator[Message]:
        """Yield the messages that a user sees in a channel or a thread, oldest first."""
        for message in self.get_channel(channel_id).messages:
            if thread_ts:
                is_here = thread_ts in {message.thread_ts, message.ts}
            else:
                is_here = not message.is_reply or message.broadcast
            if is_here and message.visible_to in {"", viewer}:
                yield message

    def publish_change(self) -> None:
        """Publish that a conversation changed."""
        self._pubsub.publish("channel")

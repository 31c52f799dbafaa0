"""Channels and what is said in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.pubsub import PubSub
from sandbox.slack.elements import Values, state_values
from sandbox.slack.errors import Json, SlackError


@dataclass
class Message:
    """One message, with what Slack keeps of it."""

    ts: str
    channel: str
    user: str
    """Who posted it: a person's id, or the app's bot user; empty for an old-fashioned bot."""
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str = ""
    """The parent's `ts` in a reply and, once it has replies, in the parent itself; else empty."""
    bot_id: str = ""
    app_id: str = ""
    username: str = ""
    """How a bot calls itself, where it is not the app."""
    visible_to: str = ""
    """The one person who sees an ephemeral message; empty when everybody does."""
    metadata: Json = field(default_factory=dict)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    edited_ts: str = ""
    unfurl_links: bool = True
    unfurl_media: bool = True
    broadcast: bool = False
    """A reply that was also sent to the channel."""
    files: list[Json] = field(default_factory=list)
    """What was uploaded with it, as Slack tells of files."""
    values: Values = field(default_factory=dict)
    """What is chosen and typed in it, by `block_id` and `action_id`, as in `state.values`."""

    @property
    def is_edited(self) -> bool:
        """Whether its text or blocks were changed."""
        return bool(self.edited_ts)

    @property
    def is_reply(self) -> bool:
        """Whether it stands in a thread, below its parent."""
        return bool(self.thread_ts) and self.thread_ts != self.ts

    def as_json(self, team: str) -> Json:
        """Return the message as Slack tells it to apps."""
        told: Json = {"type": "message", "ts": self.ts, "text": self.text, "team": team}
        if self.username:
            told |= {"subtype": "bot_message", "username": self.username}
        reactions = [
            {"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items()
        ]
        edited = {"user": self.user, "ts": self.edited_ts} if self.is_edited else {}
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
            "edited": edited,
        }
        return {**told, **{name: value for name, value in optional.items() if value}}

    def replace_content(self, text: str, blocks: list[Json], attachments: list[Json], edited_ts: str) -> None:
        """Give the message another content; what was chosen in blocks that stay is kept."""
        self.text, self.blocks, self.attachments, self.edited_ts = text, blocks, attachments, edited_ts
        self.values = state_values(blocks, self.values)


@dataclass
class Channel:
    """A conversation: a public or private channel, a direct message, a channel shared with another team."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    messages: list[Message] = field(default_factory=list)

    @property
    def payload_name(self) -> str:
        """The name that commands and actions tell, which hides that of what is private."""
        return "directmessage" if self.is_im else "privategroup" if self.is_private else self.name

    @property
    def api_type(self) -> str:
        """What scopes and events call it: `channels`, `groups` or `im`."""
        return "im" if self.is_im else "groups" if self.is_private else "channels"

    def as_json(self, bot: str) -> Json:
        """Return the channel as `conversations.info` tells it."""
        told: Json = {
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
            "is_org_shared": False,
        }
        if self.is_im:
            return {**told, "user": next(iter(self.members - {bot}), bot)}
        return {**told, "name": self.name, "name_normalized": self.name, "is_member": bot in self.members}


class Conversations:
    """All channels of the workspace, and the rules of who may post where."""

    def __init__(self, channels: dict[str, Channel], bot: str, pubsub: PubSub) -> None:
        self.channels = channels
        self._bot = bot
        self._pubsub = pubsub

    def channel(self, channel_id: str) -> Channel:
        """Return the channel with this id; `SlackError("channel_not_found")`."""
        if channel_id not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel_id]

    def known_to_bot(self, channel_id: str) -> Channel:
        """Return a channel that the app may know of: what is private must have it as a member."""
        channel = self.channel(channel_id)
        if (channel.is_private or channel.is_im) and self._bot not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def open_to_bot(self, channel_id: str, *, public: bool) -> Channel:
        """Return a channel in which the app may post; `public` says that `chat:write.public` was granted."""
        channel = self.known_to_bot(channel_id)
        if channel.is_archived:
            raise SlackError("is_archived")
        if self._bot not in channel.members and not public:
            raise SlackError("not_in_channel")
        return channel

    def direct(self, channel_id: str, user: str) -> Channel:
        """Return the direct message between the app and somebody, with this id if it is new."""
        for channel in self.channels.values():
            if channel.is_im and channel.members == {self._bot, user}:
                return channel
        self.channels[channel_id] = Channel(channel_id, "", {self._bot, user}, is_im=True)
        return self.channels[channel_id]

    def add(self, message: Message) -> Message:
        """Let a message appear, in its thread if it names one."""
        channel = self.channel(message.channel)
        if message.thread_ts:
            parent = self.message(message.channel, message.thread_ts)
            message.thread_ts = parent.thread_ts or parent.ts
            if not message.visible_to:
                parent.thread_ts = message.thread_ts
        message.values = state_values(message.blocks)
        channel.messages.append(message)
        self.changed()
        return message

    def has_replies(self, channel_id: str, ts: str) -> bool:
        """Tell whether anybody's replies stand below a message, for all to see."""
        replies = (message for message in self.channel(channel_id).messages if message.is_reply)
        return any(reply.thread_ts == ts and not reply.visible_to for reply in replies)

    def changed(self) -> None:
        """Tell whoever looks that something in a channel is different now."""
        self._pubsub.publish("channel")

    def message(self, channel_id: str, ts: str) -> Message:
        """Return the message with this `ts`; `SlackError("message_not_found")`."""
        for message in self.channel(channel_id).messages:
            if message.ts == ts:
                return message
        raise SlackError("message_not_found")

    def remove(self, message: Message) -> None:
        """Let a message disappear."""
        self.channel(message.channel).messages.remove(message)
        self.changed()

    def seen(self, channel_id: str, viewer: str, thread_ts: str = "") -> Iterator[Message]:
        """Yield what the viewer sees of a channel or a thread, oldest first."""
        for message in self.channel(channel_id).messages:
            here = thread_ts in {message.thread_ts, message.ts} if thread_ts else not message.is_reply
            if (here or (message.broadcast and not thread_ts)) and message.visible_to in {"", viewer}:
                yield message

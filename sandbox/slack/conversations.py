"""Channels and what is said in them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Message:
    """One message, with what Slack keeps of it."""

    ts: str
    channel: str
    user: str
    """Who posted it: a person's id, or the app's bot user."""
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str = ""
    """The parent's `ts` in a reply and, once it has replies, in the parent itself; else empty."""
    bot_id: str = ""
    username: str = ""
    """How a bot calls itself, where it is not the app."""
    visible_to: str = ""
    """The one person who sees an ephemeral message; empty when everybody does."""
    metadata: dict[str, Any] = field(default_factory=dict)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    edited: bool = False
    unfurl: bool = True
    broadcast: bool = False
    """A reply that was also sent to the channel."""
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is chosen and typed in it, by `block_id` and `action_id`, as in `state.values`."""


@dataclass
class Channel:
    """A conversation: a channel, a private channel, a direct message or a channel shared with another team."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    messages: list[Message] = field(default_factory=list)

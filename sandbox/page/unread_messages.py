"""Unread messages of each person."""

from sandbox.slack import Channel, Message

Conversation = tuple[str, str]
"""A channel id, and the `ts` of a thread in it or an empty string."""


class UnreadTracker:
    """The last message that each person read; messages older than the page count as read."""

    def __init__(self, channels: dict[str, Channel]) -> None:
        existing = [message.ts for channel in channels.values() for message in channel.messages]
        self._start = max(existing, default="")
        self._last_read: dict[tuple[str, Conversation], str] = {}

    def mark_read(self, person: str, messages: list[Message], thread: str = "") -> None:
        """Mark the messages of a channel or a thread as read."""
        if messages:
            conversation = messages[0].channel, thread
            self._last_read[person, conversation] = max(message.ts for message in messages)

    def count_unread(self, person: str, messages: list[Message]) -> int:
        """Return the number of unread messages by others that a person can see."""
        return sum(self._is_unread(person, message) for message in messages)

    def _is_unread(self, person: str, message: Message) -> bool:
        conversation = message.channel, message.thread_ts if message.is_reply else ""
        last_read = self._last_read.get((person, conversation), self._start)
        return message.ts > last_read and message.user != person and message.visible_to in {"", person}

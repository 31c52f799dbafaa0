"""Who has read what: for the marks of what is new."""

from collections.abc import Iterator

from sandbox.slack import Channel, Message

Place = tuple[str, str]
"""A channel, and the `ts` of a thread in it or nothing."""


class UnreadTracker:
    """How far each person has read; what is older than the page counts as read."""

    def __init__(self, channels: dict[str, Channel]) -> None:
        said = [message.ts for channel in channels.values() for message in channel.messages]
        self._start = max(said, default="")
        self._read: dict[tuple[str, Place], str] = {}

    def mark(self, person: str, messages: list[Message], thread: str = "") -> None:
        """Remember that somebody has these before them."""
        if messages:
            self._read[person, (messages[0].channel, thread)] = max(message.ts for message in messages)

    def unread(self, person: str, messages: list[Message]) -> int:
        """Count the messages that somebody can see and has not."""
        return sum(1 for _ in self._unread(person, messages))

    def _unread(self, person: str, messages: list[Message]) -> Iterator[Message]:
        for message in messages:
            thread = message.thread_ts if message.is_reply else ""
            read = self._read.get((person, (message.channel, thread)), self._start)
            if message.ts > read and message.user != person and message.visible_to in {"", person}:
                yield message

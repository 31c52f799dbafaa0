"""Messages prepared for display: authors, days, groups and thread summaries."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.page.display_names import Author, DisplayNames
from sandbox.page.surface_view_model import Surface
from sandbox.page.unread_messages import UnreadTracker
from sandbox.slack import Message, Workspace

GROUPING_INTERVAL = timedelta(minutes=5)
"""Consecutive messages of one author within this time share one heading."""
MAX_REPLY_AVATARS = 3


@dataclass(frozen=True)
class ThreadSummary:
    """The replies to a message, as shown below it."""

    reply_count: int
    unread_count: int
    last_reply_at: datetime
    authors: list[Author]


@dataclass(frozen=True)
class MessageRow:
    """A message, prepared for display."""

    message: Message
    author: Author
    at: datetime
    surfaces: list[Surface]
    """The blocks of the message, then those of each attachment."""
    new_day: str = ""
    """Name of the day, if this is its first message."""
    is_grouped: bool = False
    """True if the heading of the previous message applies."""
    thread: ThreadSummary | None = None


class MessageRowBuilder:
    """Build the rows that one person sees."""

    def __init__(self, workspace: Workspace, names: DisplayNames, unread: UnreadTracker, viewer: str) -> None:
        self._workspace = workspace
        self._names = names
        self._unread = unread
        self._viewer = viewer

    def build_channel(self, messages: list[Message]) -> Iterator[MessageRow]:
        """Yield the rows of a channel, grouped by author and day."""
        previous: Message | None = None
        for message in messages:
            at = parse_ts(message.ts)
            is_new_day = previous is None or parse_ts(previous.ts).date() != at.date()
            yield MessageRow(
                message,
                self._names.author(message),
                at,
                self._build_surfaces(message, "message"),
                new_day=format_day(at) if is_new_day else "",
                is_grouped=previous is not None and not is_new_day and _is_grouped(message, previous),
                thread=self._summarize_thread(message),
            )
            previous = message

    def build_thread(self, messages: list[Message]) -> Iterator[MessageRow]:
        """Yield the rows of a thread, ungrouped."""
        for message in messages:
            surfaces = self._build_surfaces(message, "message-thread")
            yield MessageRow(message, self._names.author(message), parse_ts(message.ts), surfaces)

    def _build_surfaces(self, message: Message, prefix: str) -> list[Surface]:
        parts = [message.blocks, *(attachment.get("blocks", []) for attachment in message.attachments)]
        return [
            Surface.from_message(
                message, self._viewer, blocks, f"{prefix}-{message.ts}-{number}", self._workspace.app_id
            )
            for number, blocks in enumerate(parts)
        ]

    def _summarize_thread(self, parent: Message) -> ThreadSummary | None:
        if parent.thread_ts != parent.ts:
            return None
        replies = self._workspace.messages(parent.channel, self._viewer, thread_ts=parent.ts)[1:]
        if not replies:
            return None
        authors = list(dict.fromkeys(map(self._names.author, replies)))
        unread_count = self._unread.count_unread(self._viewer, replies)
        last_reply_at = parse_ts(replies[-1].ts)
        return ThreadSummary(len(replies), unread_count, last_reply_at, authors[:MAX_REPLY_AVATARS])


def parse_ts(ts: str) -> datetime:
    """Convert a message's `ts` to this machine's time zone."""
    return datetime.fromtimestamp(float(ts), UTC).astimezone()


def format_day(at: datetime) -> str:
    """Format a day like Slack's dividers."""
    match (datetime.now(UTC).astimezone().date() - at.date()).days:
        case 0:
            return "Today"
        case 1:
            return "Yesterday"
    return f"{at:%A, %B} {at.day}"


def _is_grouped(message: Message, previous: Message) -> bool:
    is_close = parse_ts(message.ts) - parse_ts(previous.ts) < GROUPING_INTERVAL
    authors = {(it.user, it.username, it.visible_to) for it in (message, previous)}
    return is_close and len(authors) == 1 and not message.broadcast

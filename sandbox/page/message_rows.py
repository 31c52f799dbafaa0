"""Messages as they are shown: who wrote them, when, and what hangs on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.page.display_names import Author, DisplayNames
from sandbox.page.surface import Surface
from sandbox.page.unread import UnreadTracker
from sandbox.slack import Message, Workspace

TOGETHER = timedelta(minutes=5)
"""Messages of one author within this time stand under one name."""
FACES = 3


@dataclass(frozen=True)
class Thread:
    """What a message shows of its replies."""

    replies: int
    unread: int
    last: datetime
    faces: list[Author]


@dataclass(frozen=True)
class MessageRow:
    """One message as it is shown."""

    message: Message
    author: Author
    at: datetime
    surfaces: list[Surface]
    """Its blocks, and those of its attachments."""
    day: str = ""
    """The day that begins with it."""
    compact: bool = False
    """Whether the name above the previous message counts for it too."""
    thread: Thread | None = None


class MessageRows:
    """Prepares messages for one viewer."""

    def __init__(
        self, workspace: Workspace, names: DisplayNames, reading: UnreadTracker, viewer: str
    ) -> None:
        self._workspace = workspace
        self._names = names
        self._reading = reading
        self._viewer = viewer

    def of_channel(self, messages: list[Message]) -> Iterator[MessageRow]:
        """Yield rows in which days begin, authors stand together, and threads are summed up."""
        before: Message | None = None
        for message in messages:
            begins = before is None or moment(before.ts).date() != moment(message.ts).date()
            yield MessageRow(
                message,
                self._names.author(message),
                moment(message.ts),
                self._surfaces(message, ""),
                day=day(moment(message.ts)) if begins else "",
                compact=before is not None and not begins and _continues(message, before),
                thread=self._thread(message),
            )
            before = message

    def of_thread(self, messages: list[Message]) -> Iterator[MessageRow]:
        """Yield rows that stand each for itself."""
        for message in messages:
            surfaces = self._surfaces(message, "-thread")
            yield MessageRow(message, self._names.author(message), moment(message.ts), surfaces)

    def _surfaces(self, message: Message, where: str) -> list[Surface]:
        blocks = [message.blocks, *(attachment.get("blocks", []) for attachment in message.attachments)]
        key = f"message{where}-{message.ts}"
        return [
            Surface.of_message(message, self._viewer, each, f"{key}-{number}", self._workspace.app_id)
            for number, each in enumerate(blocks)
        ]

    def _thread(self, parent: Message) -> Thread | None:
        if parent.thread_ts != parent.ts:
            return None
        replies = self._workspace.messages(parent.channel, self._viewer, thread_ts=parent.ts)[1:]
        if not replies:
            return None
        authors = list(dict.fromkeys(map(self._names.author, replies)))
        unread = self._reading.unread(self._viewer, replies)
        return Thread(len(replies), unread, moment(replies[-1].ts), authors[:FACES])


def moment(ts: str) -> datetime:
    """Return when a message was posted, in this machine's time zone."""
    return datetime.fromtimestamp(float(ts), UTC).astimezone()


def day(at: datetime) -> str:
    """Name a day as Slack's dividers do."""
    match (datetime.now(UTC).astimezone().date() - at.date()).days:
        case 0:
            return "Today"
        case 1:
            return "Yesterday"
    return f"{at:%A, %B} {at.day}"


def _continues(message: Message, before: Message) -> bool:
    """Whether a message stands under the name of the one before."""
    near = moment(message.ts) - moment(before.ts) < TOGETHER
    authors = {(it.user, it.username, it.visible_to) for it in (message, before)}
    return near and len(authors) == 1 and not message.broadcast

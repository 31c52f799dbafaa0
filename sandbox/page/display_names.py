"""What people, groups and channels are called, and the squares that stand for them."""

import zlib
from dataclasses import dataclass

from sandbox.slack import Channel, Message, User, Workspace

HUES = 8
"""How many colours the style sheet has for squares with initials."""


@dataclass(frozen=True)
class Author:
    """Who wrote a message, as it is shown beside it."""

    name: str
    initials: str
    hue: int
    is_app: bool = False

    @classmethod
    def called(cls, name: str, *, is_app: bool = False) -> "Author":
        """Make up the square of this name."""
        words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
        initials = "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()
        return cls(name, initials or "?", zlib.crc32(name.encode()) % HUES, is_app)


class DisplayNames:
    """Looks names up in a workspace; what it does not know keeps its id."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __call__(self, sigil: str, id_: str) -> str:
        """Return what a mention shows behind its `@` or `#`."""
        if sigil == "#":
            channel = self._workspace.channels.get(id_)
            return channel.name if channel else id_
        group = self._workspace.usergroups.get(id_)
        return group.handle if group else self.person(id_)

    def person(self, id_: str) -> str:
        """Return the name of a person or of the app."""
        user = self._user(id_)
        return user.real_name if user else id_

    def author(self, message: Message) -> Author:
        """Return who a message seems to be from."""
        name = message.username or self.person(message.user)
        return Author.called(name, is_app=bool(message.bot_id))

    def channel(self, channel: Channel, viewer: str) -> str:
        """Return what a conversation is called by one of its members."""
        if not channel.is_im:
            return channel.name
        others = sorted(self.person(member) for member in channel.members - {viewer})
        return ", ".join(others)

    def _user(self, id_: str) -> User | None:
        bot = self._workspace.bot
        return bot if id_ == bot.id else self._workspace.users.get(id_)

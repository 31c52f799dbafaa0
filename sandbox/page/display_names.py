"""Names of people, groups and channels, and avatars with their initials."""

import zlib
from dataclasses import dataclass

from sandbox.slack import Channel, Message, User, Workspace

AVATAR_COLORS = 8
"""Number of avatar colors in the style sheet."""


@dataclass(frozen=True)
class Author:
    """Name and avatar of a message's author."""

    name: str
    initials: str
    color: int
    is_app: bool = False

    @classmethod
    def from_name(cls, name: str, *, is_app: bool = False) -> "Author":
        """Return the author with this name, with initials and a color derived from it."""
        words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
        initials = "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()
        return cls(name, initials or "?", zlib.crc32(name.encode()) % AVATAR_COLORS, is_app)


class DisplayNames:
    """Look up names in a workspace; an unknown id is its own name."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def mention(self, sigil: str, id_: str) -> str:
        """Return the name in a mention, without its `@` or `#`."""
        if sigil == "#":
            channel = self._workspace.channels.get(id_)
            return channel.name if channel else id_
        group = self._workspace.usergroups.get(id_)
        return group.handle if group else self.person(id_)

    def person(self, id_: str) -> str:
        """Return the name of a person or of the app."""
        user = self._find_user(id_)
        return user.real_name if user else id_

    def author(self, message: Message) -> Author:
        """Return the author of a message."""
        name = message.username or self.person(message.user)
        return Author.from_name(name, is_app=bool(message.bot_id))

    def channel(self, channel: Channel, viewer: str) -> str:
        """Return the name of a channel, or of the other people in a direct message."""
        if not channel.is_im:
            return channel.name
        others = sorted(self.person(member) for member in channel.members - {viewer})
        return ", ".join(others)

    def _find_user(self, id_: str) -> User | None:
        bot = self._workspace.bot
        return bot if id_ == bot.id else self._workspace.users.get(id_)

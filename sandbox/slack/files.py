"""Files that the app uploads: https://docs.slack.dev/messaging/working-with-files."""

import mimetypes
import secrets
from dataclasses import dataclass
from pathlib import PurePosixPath

from sandbox.slack.errors import Json, SlackError
from sandbox.slack.ids import Identifiers

PATH = "/upload/v1/"
"""Where the bytes go, followed by a ticket."""


@dataclass
class File:
    """One file: announced, then uploaded, then shared."""

    id: str
    name: str
    size: int
    """How many bytes were announced."""
    user: str
    ticket: str
    created: int
    title: str = ""
    content: bytes | None = None
    """What was uploaded; None until it was."""
    is_complete: bool = False

    @property
    def mimetype(self) -> str:
        """What its name says that it is."""
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    def as_json(self) -> Json:
        """Return the file as Slack tells it."""
        kind = PurePosixPath(self.name).suffix.removeprefix(".").lower() or "binary"
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title,
            "mimetype": self.mimetype,
            "filetype": kind,
            "pretty_type": kind.upper(),
            "user": self.user,
            "mode": "hosted",
            "size": self.size,
            "is_external": False,
            "is_public": False,
        }


class Files:
    """All files of the workspace."""

    def __init__(self, ids: Identifiers) -> None:
        self.known: dict[str, File] = {}
        self._ids = ids

    def announce(self, name: str, size: int, user: str, created: int) -> File:
        """Return a new file, whose bytes are still to come."""
        file = File(self._ids.make("F"), name, size, user, secrets.token_urlsafe(24), created, name)
        self.known[file.id] = file
        return file

    def upload(self, ticket: str, content: bytes) -> File:
        """Store the bytes of a file; `SlackError` for an unknown or used ticket, or the wrong size."""
        file = next((file for file in self.known.values() if file.ticket == ticket), None)
        if file is None or file.is_complete:
            raise SlackError("file_not_found")
        if len(content) != file.size:
            raise SlackError("file_size_mismatch")
        file.content = content
        return file

    def uploaded(self, file_id: str) -> File:
        """Return a file whose bytes have come, not shared yet; `SlackError("file_not_found")`."""
        file = self.known.get(file_id)
        if file is None or file.content is None or file.is_complete:
            raise SlackError("file_not_found")
        return file

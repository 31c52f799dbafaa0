"""Files that the app uploads: https://docs.slack.dev/messaging/working-with-files."""

import mimetypes
import secrets
from dataclasses import dataclass
from pathlib import PurePosixPath

from sandbox.slack.errors import SlackError
from sandbox.slack.ids import IdGenerator
from sandbox.slack.json_types import Json

UPLOAD_PATH = "/upload/v1/"
"""The path of upload URLs, followed by a ticket."""


@dataclass
class File:
    """A file: announced, then uploaded, then completed."""

    id: str
    name: str
    size: int
    """The announced number of bytes."""
    user: str
    ticket: str
    created: int
    title: str = ""
    content: bytes | None = None
    """The bytes; None until they are uploaded."""
    is_complete: bool = False

    @property
    def mimetype(self) -> str:
        """The MIME type, guessed from the name."""
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    def as_json(self) -> Json:
        """Return the file as in Slack's API."""
        filetype = PurePosixPath(self.name).suffix.removeprefix(".").lower() or "binary"
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title,
            "mimetype": self.mimetype,
            "filetype": filetype,
            "pretty_type": filetype.upper(),
            "user": self.user,
            "mode": "hosted",
            "size": self.size,
            "is_external": False,
            "is_public": False,
        }


class Files:
    """The workspace's files."""

    def __init__(self, ids: IdGenerator) -> None:
        self.by_id: dict[str, File] = {}
        self._ids = ids

    def announce(self, name: str, size: int, user: str, created: int) -> File:
        """Create a file whose bytes are not uploaded yet."""
        file = File(self._ids.new_id("F"), name, size, user, secrets.token_urlsafe(24), created, name)
        self.by_id[file.id] = file
        return file

    def upload(self, ticket: str, content: bytes) -> File:
        """Store the bytes of a file; raises `SlackError` for an unknown or used ticket, or a wrong size."""
        file = next((file for file in self.by_id.values() if file.ticket == ticket), None)
        if file is None or file.is_complete:
            raise SlackError("file_not_found")
        if len(content) != file.size:
            raise SlackError("file_size_mismatch")
        file.content = content
        return file

    def get_uploaded(self, file_id: str) -> File:
        """Return a file that is uploaded and not completed; raises `SlackError("file_not_found")`."""
        file = self.by_id.get(file_id)
        if file is None or file.content is None or file.is_complete:
            raise SlackError("file_not_found")
        return file

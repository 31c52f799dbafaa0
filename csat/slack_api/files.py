"""File uploads to a user's direct message."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

import aiohttp

from csat.slack_api.errors import as_slack_error, error_from_response
from csat.slack_api.responses import UploadTarget, parse_response
from csat.slack_api.web_client import WebClient

MIN_UPLOAD_RATE = 500_000
"""Bytes per second; an export of a million surveys has some 200 MB."""

Upload = dict[str, str | None]
"""A file that Slack has, as it is named to share it."""


class FileSender:
    """Upload files by streaming them, so that no file is ever in memory as a whole.

    https://docs.slack.dev/messaging/working-with-files#upload
    """

    def __init__(self, web: WebClient, session: aiohttp.ClientSession) -> None:
        self._web = web
        self._session = session

    async def upload(self, paths: Sequence[Path]) -> list[Upload]:
        """Upload files, which nobody can see before they are shared; raises `SlackError`."""
        with as_slack_error():
            return [await self._upload(path) for path in paths]

    async def share(self, user: str, uploads: Sequence[Upload], comment: str) -> None:
        """Send a direct message with files: both or, if this raises `SlackError`, neither is seen.

        Args:
            user: the id of the recipient.
            uploads: the files.
            comment: the text of the message, in mrkdwn.
        """
        with as_slack_error():
            await self._web.files_completeUploadExternal(
                files=list(uploads), channels=[user], initial_comment=comment
            )

    async def _upload(self, path: Path) -> Upload:
        length = (await asyncio.to_thread(path.stat)).st_size
        response = await self._web.files_getUploadURLExternal(filename=path.name, length=length)
        target = parse_response(UploadTarget, response)
        timeout = aiohttp.ClientTimeout(total=self._web.timeouts.slack_call + length / MIN_UPLOAD_RATE)
        with path.open("rb") as file:
            async with self._session.post(target.upload_url, data=file, timeout=timeout) as upload:
                if upload.status != HTTPStatus.OK:
                    raise error_from_response(upload.status, upload.headers, "upload_refused")
        return {"id": target.file_id, "title": path.name}

"""File uploads to a user's direct message."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from csat.slack_api import web_client
from csat.slack_api.errors import as_slack_error, error_from_response
from csat.slack_api.responses import PostedMessage, UploadTarget, parse_response

MIN_UPLOAD_RATE = 500_000
"""Bytes per second; an export of a million surveys has some 200 MB."""


class FileSender:
    """Upload files by streaming them, so that no file is ever in memory as a whole.

    https://docs.slack.dev/messaging/working-with-files#upload
    """

    def __init__(self, web: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._web = web
        self._session = session

    async def send(self, user: str, paths: Sequence[Path], text: str, blocks: list[dict[str, Any]]) -> None:
        """Send a direct message, followed by files; raises `SlackError`."""
        with as_slack_error():
            files = [await self._upload(path) for path in paths]
            response = await self._web.chat_postMessage(channel=user, text=text, blocks=blocks)
            channel = parse_response(PostedMessage, response).channel
            await self._web.files_completeUploadExternal(files=files, channel_id=channel)

    async def _upload(self, path: Path) -> dict[str, Any]:
        length = (await asyncio.to_thread(path.stat)).st_size
        response = await self._web.files_getUploadURLExternal(filename=path.name, length=length)
        target = parse_response(UploadTarget, response)
        timeout = aiohttp.ClientTimeout(total=web_client.CALL_TIMEOUT_SECONDS + length / MIN_UPLOAD_RATE)
        with path.open("rb") as file:
            async with self._session.post(target.upload_url, data=file, timeout=timeout) as upload:
                if upload.status != HTTPStatus.OK:
                    raise error_from_response(upload.status, upload.headers, "upload_refused")
        return {"id": target.file_id, "title": path.name}

"""Files for one person, in their direct message with the app."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from csat.slack_api.errors import as_slack_error, of_answer

UPLOADING = aiohttp.ClientTimeout(total=300)
"""For one file; an export of a million surveys has some 200 MB."""
_OK = 200


class Files:
    """Sends files without ever having a whole one in memory.

    https://docs.slack.dev/messaging/working-with-files#upload
    """

    def __init__(self, web: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._web = web
        self._session = session

    async def send(self, user: str, paths: Sequence[Path], text: str, blocks: list[dict[str, Any]]) -> None:
        """Send files with a few words; raises `SlackError`."""
        with as_slack_error():
            files = [await self._uploaded(path) for path in paths]
            told = await self._web.chat_postMessage(channel=user, text=text, blocks=blocks)
            await self._web.files_completeUploadExternal(files=files, channel_id=told["channel"])

    async def _uploaded(self, path: Path) -> dict[str, Any]:
        length = (await asyncio.to_thread(path.stat)).st_size
        place = await self._web.files_getUploadURLExternal(filename=path.name, length=length)
        with path.open("rb") as file:
            async with self._session.post(place["upload_url"], data=file, timeout=UPLOADING) as answer:
                if answer.status != _OK:
                    raise of_answer(answer.status, dict(answer.headers), "upload refused")
        return {"id": place["file_id"], "title": path.name}

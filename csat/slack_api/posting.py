"""Messages to where a survey came from, by whichever way is open."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from slack_sdk.web.async_client import AsyncWebClient

from csat.clock import Clock
from csat.slack_api.errors import Unreachable, as_slack_error
from csat.slack_api.response_urls import ResponseUrls
from csat.slack_api.rewriting import update_message
from csat.surveys.survey import Origin

Json = dict[str, Any]

PRESENT = timedelta(minutes=5)
"""For how long the person who asked is taken to be looking: an ephemeral message is not kept for later."""

log = logging.getLogger(__name__)


class Posted(NamedTuple):
    """Where a message went; both empty where Slack does not say."""

    channel: str = ""
    ts: str = ""


class Poster:
    """Posts messages by the ways that Slack leaves open, one after the other; then raises `SlackError`."""

    def __init__(self, web: AsyncWebClient, response_urls: ResponseUrls, clock: Clock) -> None:
        self._web = web
        self._response_urls = response_urls
        self._clock = clock

    async def post(self, origin: Origin, text: str, blocks: list[Json]) -> Posted:
        """Post for everybody in the conversation; as a last resort, only for the person who asked."""
        message = _message(text, blocks)
        return await _first(
            [
                lambda: self._in_channel(origin, message),
                lambda: self._respond(origin, message, "in_channel"),
                lambda: self._respond(origin, message, "ephemeral"),
                lambda: self._to_user(origin.requester, message),
            ]
        )

    async def post_ephemeral(
        self, origin: Origin, text: str, blocks: list[Json], asked_at: datetime | None = None
    ) -> Posted:
        """Post only for the person who asked: in the conversation while they look at it, else directly."""
        message = _message(text, blocks)
        if self._clock() > (asked_at or origin.received_at) + PRESENT:
            return await self._to_user(origin.requester, message)
        return await _first(
            [
                lambda: self._ephemeral(origin, message),
                lambda: self._respond(origin, message, "ephemeral"),
                lambda: self._to_user(origin.requester, message),
            ]
        )

    async def post_dm(self, user: str, text: str, blocks: list[Json]) -> Posted:
        """Post a direct message."""
        return await self._to_user(user, _message(text, blocks))

    async def replace_original(self, origin: Origin, text: str, blocks: list[Json]) -> None:
        """Replace the message whose button gave the origin's `response_url`."""
        await self._through_url(origin, {**_message(text, blocks), "replace_original": True})

    async def update_message(self, posted: Posted, text: str, blocks: list[Json]) -> None:
        """Replace a message that was posted."""
        await update_message(self._web, posted.channel, posted.ts, text, blocks)

    async def _in_channel(self, origin: Origin, message: Json) -> Posted:
        with as_slack_error():
            answer = await self._web.chat_postMessage(
                channel=origin.channel, thread_ts=origin.thread or None, **message
            )
        return Posted(answer["channel"], answer["ts"])

    async def _ephemeral(self, origin: Origin, message: Json) -> Posted:
        with as_slack_error():
            await self._web.chat_postEphemeral(
                channel=origin.channel,
                user=origin.requester,
                thread_ts=origin.active_thread or None,
                **message,
            )
        return Posted()

    async def _to_user(self, user: str, message: Json) -> Posted:
        with as_slack_error():
            answer = await self._web.chat_postMessage(channel=user, **message)
        return Posted(answer["channel"], answer["ts"])

    async def _respond(self, origin: Origin, message: Json, response_type: str) -> Posted:
        thread = origin.thread if response_type == "in_channel" else origin.active_thread
        in_thread = {"thread_ts": thread} if thread else {}
        return await self._through_url(
            origin, {**message, **in_thread, "response_type": response_type, "replace_original": False}
        )

    async def _through_url(self, origin: Origin, body: Json) -> Posted:
        if not self._response_urls.usable(origin.response_url, origin.received_at, self._clock()):
            raise Unreachable("no response_url")
        await self._response_urls.post(origin.response_url, body)
        return Posted()


async def _first(ways: Sequence[Callable[[], Awaitable[Posted]]]) -> Posted:
    for way in ways[:-1]:
        try:
            return await way()
        except Unreachable as refusal:
            log.info("Slack refused one way to post (%s), trying the next", refusal)
    return await ways[-1]()


def _message(text: str, blocks: list[Json]) -> Json:
    return {"text": text, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}

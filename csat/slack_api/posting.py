"""Post and update messages, with fallbacks for conversations that the app is not a member of."""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from csat.clock import Clock
from csat.slack_api.errors import TOKEN_ERRORS, NoResponse, SlackRefused, SlackUnavailable
from csat.slack_api.response_urls import ResponseUrls
from csat.slack_api.responses import PostedMessage, parse_response
from csat.slack_api.web_client import WebClient
from csat.surveys.origin import Origin

Json = dict[str, Any]

EPHEMERAL_WINDOW = timedelta(minutes=5)
"""How long a user is assumed to look at the conversation after a request: ephemeral messages are not kept."""

log = logging.getLogger(__name__)


class Posted(NamedTuple):
    """Where a message was posted; empty if Slack did not say."""

    channel: str = ""
    ts: str = ""


class Poster:
    """Post messages; every method raises `SlackError`."""

    def __init__(self, web: WebClient, response_urls: ResponseUrls, clock: Clock) -> None:
        self._web = web
        self._response_urls = response_urls
        self._clock = clock

    async def post(self, origin: Origin, text: str, blocks: list[Json]) -> Posted:
        """Post to everybody in the conversation, or as a last resort to the requester alone."""
        message = _message(text, blocks)
        return await _try_in_order(
            [
                lambda: self._post_to_thread(origin, message),
                lambda: self._respond(origin, message, "in_channel"),
                lambda: self._respond(origin, message, "ephemeral"),
                lambda: self._post_to_channel(origin.requester, message),
            ]
        )

    async def post_ephemeral(
        self, origin: Origin, text: str, blocks: list[Json], requested_at: datetime | None = None
    ) -> Posted:
        """Post to the requester alone: in the conversation shortly after the request, else as a DM."""
        as_dm = partial(self._post_to_channel, origin.requester, _message(text, blocks))
        if not self._is_present(requested_at or origin.received_at):
            return await as_dm()
        return await _try_in_order([*self._ephemeral_posts(origin, text, blocks), as_dm])

    async def post_in_conversation(
        self, origin: Origin, text: str, blocks: list[Json], requested_at: datetime
    ) -> None:
        """Post to the requester alone in the conversation, if they still look at it."""
        if self._is_present(requested_at):
            await _try_in_order(self._ephemeral_posts(origin, text, blocks))

    async def post_private(
        self, origin: Origin, text: str, blocks: list[Json], requested_at: datetime
    ) -> Posted:
        """Post to the requester alone, as a DM, which can be updated; else as `post_ephemeral` does."""
        return await _try_in_order(
            [
                lambda: self._post_to_channel(origin.requester, _message(text, blocks)),
                lambda: self.post_ephemeral(origin, text, blocks, requested_at),
            ]
        )

    async def post_dm(self, user: str, text: str, blocks: list[Json]) -> Posted:
        """Post a direct message to a user, or a message to a channel that the app is a member of."""
        return await self._post_to_channel(user, _message(text, blocks))

    async def post_in_thread(self, origin: Origin, text: str, blocks: list[Json]) -> Posted:
        """Post to everybody in the conversation, or not at all."""
        return await self._post_to_thread(origin, _message(text, blocks))

    async def replace_original(self, origin: Origin, text: str, blocks: list[Json]) -> None:
        """Replace the message whose button was clicked, through its `response_url`."""
        await self._post_to_response_url(origin, {**_message(text, blocks), "replace_original": True})

    async def update_message(self, posted: Posted, text: str, blocks: list[Json]) -> None:
        """Update a message of the app (chat.update)."""
        await self._web.chat_update(channel=posted.channel, ts=posted.ts, text=text, blocks=blocks)

    async def _post_to_thread(self, origin: Origin, message: Json) -> Posted:
        response = await self._web.chat_postMessage(
            channel=origin.channel, thread_ts=origin.thread or None, **message
        )
        return _posted(response)

    async def _post_to_channel(self, channel: str, message: Json) -> Posted:
        response = await self._web.chat_postMessage(channel=channel, **message)
        return _posted(response)

    def _is_present(self, requested_at: datetime) -> bool:
        return self._clock() <= requested_at + EPHEMERAL_WINDOW

    def _ephemeral_posts(
        self, origin: Origin, text: str, blocks: list[Json]
    ) -> list[Callable[[], Awaitable[Posted]]]:
        return [
            *([lambda: self._post_ephemeral(origin, text, blocks)] if origin.channel else []),
            lambda: self._respond(origin, _message(text, blocks), "ephemeral"),
        ]

    async def _post_ephemeral(self, origin: Origin, text: str, blocks: list[Json]) -> Posted:
        try:
            await self._web.chat_postEphemeral(
                channel=origin.channel,
                user=origin.requester,
                thread_ts=origin.active_thread or None,
                text=text,
                blocks=blocks,
            )
        except SlackUnavailable as error:
            if str(error) in TOKEN_ERRORS:  # a response_url needs no token
                raise SlackRefused(str(error)) from error
            raise
        return Posted()

    async def _respond(self, origin: Origin, message: Json, response_type: str) -> Posted:
        thread = origin.thread if response_type == "in_channel" else origin.active_thread
        in_thread = {"thread_ts": thread} if thread else {}
        return await self._post_to_response_url(
            origin, {**message, **in_thread, "response_type": response_type, "replace_original": False}
        )

    async def _post_to_response_url(self, origin: Origin, body: Json) -> Posted:
        if not self._response_urls.is_usable(origin.response_url, origin.received_at, self._clock()):
            raise SlackRefused("no response_url")
        await self._response_urls.post(origin.response_url, body)
        return Posted()


async def _try_in_order(posts: Sequence[Callable[[], Awaitable[Posted]]]) -> Posted:
    for post in posts[:-1]:
        try:
            return await post()
        except SlackRefused as error:
            log.info("Slack refused a message (%s), falling back", error)
    return await posts[-1]()


def _posted(response: AsyncSlackResponse) -> Posted:
    """Return where a message is; a response without that still says that it was posted."""
    with contextlib.suppress(NoResponse):
        message = parse_response(PostedMessage, response)
        return Posted(message.channel, message.ts)
    return Posted()


def _message(text: str, blocks: list[Json]) -> Json:
    return {"text": text, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}

"""The messages in Slack that name a customer who is erased: replaced, or left for the operator to delete."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from blocks import erased_messages
from blocks.elements import Message
from csat.clock import utc_now
from csat.db import erasure
from csat.db.database import Database
from csat.db.erasure import PostedMessage
from csat.db.outbox import NotificationKind
from csat.db.survey_records import get_survey
from csat.reporting.export_queries import list_teams
from csat.slack_api.errors import SlackError, SlackRefused, SlackUnavailable
from csat.slack_api.posting import Posted, Poster

MESSAGE_NOT_FOUND = "message_not_found"
"""Slack's error for a message that somebody deleted."""


@dataclass
class ErasureResult:
    """The number of surveys and messages changed, and what the operator still has to do."""

    erased: int = 0
    cancelled: int = 0
    messages: int = 0
    """Messages changed in Slack."""
    remaining: int = 0
    """Surveys that can't be erased yet."""
    last_check: datetime | None = None
    """When the last of them is looked for, if that is to come."""
    advice: list[str] = field(default_factory=list)


class CustomerMessages(Protocol):
    """Withdraws, replaces and posts messages about a customer's surveys."""

    async def withdraw(self, survey_ids: list[int]) -> None:
        """See to the messages that are still to be posted."""

    async def announce_cancellations(self, requesters: Mapping[int, str], result: ErasureResult) -> None:
        """Tell requesters, by survey id, that their surveys were canceled."""

    async def replace(self, survey_id: int, result: ErasureResult) -> None:
        """Take the customer out of the messages about a survey; raises `SlackUnavailable`."""


class MessagesInSlack:
    """Changes the messages in Slack.

    Args:
        database: knows where they are.
        poster: changes them.
        pauses: the seconds before each retry while Slack is unavailable.
    """

    def __init__(self, database: Database, poster: Poster, pauses: Sequence[float]) -> None:
        self._database = database
        self._poster = poster
        self._pauses = pauses

    async def withdraw(self, survey_ids: list[int]) -> None:
        """Leave them to the app, which posts them."""

    async def announce_cancellations(self, requesters: Mapping[int, str], result: ErasureResult) -> None:
        """Send each requester a direct message."""
        for requester in requesters.values():
            try:
                await self._poster.post_dm(requester, *erased_messages.cancellation())
            except SlackError as error:
                told = f"Tell <@{requester}> that a survey was canceled"
                result.advice.append(f"{told}: Slack failed ({error}).")

    async def replace(self, survey_id: int, result: ErasureResult) -> None:
        """Replace all messages about a survey, also the customer's own; raises `SlackUnavailable`."""
        for message in await self._database.read(erasure.list_posted, survey_id):
            await self._replace_message(message, result)
        if place := await self._database.read(erasure.find_message_to_customer, survey_id):
            await self._replace(Posted(*place), survey_id, erased_messages.question(), result)

    async def _replace_message(self, message: PostedMessage, result: ErasureResult) -> None:
        """Replace a message to colleagues; raises `SlackUnavailable`."""
        is_confirmation = message.kind is NotificationKind.SENT
        if not message.ts:  # an ephemeral message, which Slack does not keep, or posted by a `response_url`
            if is_confirmation:
                place = _describe(message.channel, message.survey_id)
                result.advice.append(f"{place}: Slack did not say where our message is. Find and delete it.")
            return
        replacement = (
            erased_messages.confirmation(message.requester)
            if is_confirmation
            else erased_messages.private_message()
        )
        await self._replace(Posted(message.channel, message.ts), message.survey_id, replacement, result)

    async def _replace(
        self, posted: Posted, survey_id: int, replacement: Message, result: ErasureResult
    ) -> None:
        """Replace a message, or advise the operator to delete it; raises `SlackUnavailable`."""
        try:
            await self._update_with_retry(posted, replacement)
        except SlackRefused as error:
            if str(error) != MESSAGE_NOT_FOUND:
                place = _describe(posted.channel, survey_id)
                result.advice.append(f"{place}: not changed ({error}). Delete our message there.")
        else:
            result.messages += 1

    async def _update_with_retry(self, posted: Posted, message: Message) -> None:
        for pause in self._pauses:
            try:
                return await self._poster.update_message(posted, *message)
            except SlackUnavailable as error:
                await asyncio.sleep(max(pause, error.retry_after))
        return await self._poster.update_message(posted, *message)


class MessagesLeft:
    """Leaves the messages in Slack as they are, and says where they are.

    Args:
        database: knows where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def withdraw(self, survey_ids: list[int]) -> None:
        """Give up what nobody posts any more."""
        await self._database.run_with_retry(erasure.abandon, survey_ids, utc_now())

    async def announce_cancellations(self, requesters: Mapping[int, str], result: ErasureResult) -> None:
        """Advise the operator to tell them."""
        for survey_id, requester in requesters.items():
            workspace = await self._name_workspace(survey_id)
            tell = f"In {workspace}, tell" if workspace else "Tell"
            result.advice.append(f"{tell} <@{requester}> that a survey was canceled.")

    async def replace(self, survey_id: int, result: ErasureResult) -> None:
        """Advise the operator to delete the messages about a survey, also the customer's own."""
        posted = await self._database.read(erasure.list_posted, survey_id)
        channels = [each.channel for each in posted if each.ts or each.kind is NotificationKind.SENT]
        if to_customer := await self._database.read(erasure.find_message_to_customer, survey_id):
            channels.append(to_customer[0])
        workspace = await self._name_workspace(survey_id)
        for channel in channels:
            place = _describe(channel, survey_id, workspace)
            result.advice.append(f"{place}: our message stays. Find and delete it.")

    async def _name_workspace(self, survey_id: int) -> str:
        """Return the workspace of a survey if the database has several, else ""."""
        survey = await self._database.read(get_survey, survey_id)
        if survey is None or len(await self._database.read(list_teams)) == 1:
            return ""
        return f"workspace {survey.origin.team}"


def _describe(channel: str, survey_id: int, workspace: str = "") -> str:
    places = [workspace, f"channel {channel}", f"survey {survey_id}"]
    return f"In {', '.join(filter(None, places))}"

"""`python app.py forget @handle`: erases a customer from the database and from messages in Slack."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import typer

from blocks import erased_messages
from blocks.elements import Message
from cli.customer_search import CustomerSearch
from cli.existing_database import open_existing
from cli.named_customers import name_customer
from cli.slack_customers import PeopleInSlack
from csat.clock import utc_now
from csat.db import erasure
from csat.db.database import Database
from csat.db.erasure import PostedMessage
from csat.db.outbox import NotificationKind
from csat.english_dates import format_moment
from csat.reporting.formatting import pluralize
from csat.settings import Settings
from csat.slack_api.errors import SlackError, SlackRefused, SlackUnavailable
from csat.slack_api.posting import Posted, Poster
from csat.slack_api.response_urls import ResponseUrls
from csat.slack_api.web_client import build_web_client, open_session
from csat.surveys.recipients import Recipient
from csat.values_from_settings import load_recipient_key, open_x

RETRY_PAUSES_SECONDS = (1.0, 5.0, 15.0)
"""Pauses before each retry while Slack is unavailable; longer if Slack asks for it."""
MESSAGE_NOT_FOUND = "message_not_found"
"""Slack's error for a message that somebody deleted."""

CHECK_DURATION = timedelta(minutes=1)
"""How long it takes at most until an uncertain survey that is due was looked for."""

WAL_NOT_TRUNCATED = "The database's log (-wal) is in use and can't be emptied. Restart the app to empty it."


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


class Eraser:
    """Erases the data of a customer.

    Args:
        database: has the customer's surveys.
        poster: changes messages in Slack.
        pauses: the seconds before each retry while Slack is unavailable.
    """

    def __init__(self, database: Database, poster: Poster, pauses: Sequence[float]) -> None:
        self._database = database
        self._poster = poster
        self._pauses = pauses

    async def erase(self, survey_ids: list[int]) -> ErasureResult:
        """Cancel waiting surveys, change the messages in Slack, and erase the data, survey by survey."""
        result = ErasureResult()
        cancelled = await self._database.run_with_retry(erasure.cancel_waiting, survey_ids)
        result.cancelled = len(cancelled)
        for requester in cancelled.values():
            await self._notify_of_cancellation(requester, result)
        for survey_id in await self._database.read(erasure.list_erasable, survey_ids, utc_now()):
            await self._erase_survey(survey_id, result)
        if not await self._database.truncate_wal():
            result.advice.append(WAL_NOT_TRUNCATED)
        result.remaining = len(survey_ids) - result.erased
        result.last_check = await self._database.read(erasure.find_last_check, survey_ids)
        return result

    async def _erase_survey(self, survey_id: int, result: ErasureResult) -> None:
        try:
            for message in await self._database.read(erasure.list_posted, survey_id):
                await self._replace_message(message, result)
            if place := await self._database.read(erasure.find_message_to_customer, survey_id):
                posted = Posted(*place)
                await self._replace(posted, survey_id, erased_messages.question(), result)
        except SlackUnavailable as error:
            result.advice.append(f"Slack is unavailable at the moment ({error}).")
            return
        result.erased += await self._database.run_with_retry(erasure.erase, survey_id, utc_now())

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

    async def _notify_of_cancellation(self, requester: str, result: ErasureResult) -> None:
        try:
            await self._poster.post_dm(requester, *erased_messages.cancellation())
        except SlackError as error:
            result.advice.append(f"Tell <@{requester}> that a survey was canceled: Slack failed ({error}).")


async def run(settings: Settings, recipient: Recipient, *, yes: bool) -> None:
    """Erase a customer after confirmation and print the result; exit with 1 if surveys remain or may do."""
    async with open_search_and_eraser(settings) as (search, eraser):
        recipient = await search.people.with_workspace(recipient)
        found = await search.find(recipient)
        on_file = pluralize(found.total, "survey")
        typer.echo(f"{on_file} on file for {name_customer(recipient)}. {found.remark}".rstrip())
        if found.survey_ids and not (yes or typer.confirm("Erase this customer? This can't be undone.")):
            typer.echo("Nothing was forgotten.")
            raise typer.Exit(1)
        remaining = 0
        if found.survey_ids:
            result = await eraser.erase(found.survey_ids)
            typer.echo("\n".join(_format(result)))
            remaining = result.remaining
        for reason in found.left_out:
            typer.echo(reason)
        if remaining or found.left_out:
            raise typer.Exit(1)


@contextlib.asynccontextmanager
async def open_search_and_eraser(settings: Settings) -> AsyncIterator[tuple[CustomerSearch, Eraser]]:
    """Connect to the database, Slack and X until the block ends; raises `DatabaseError`."""
    async with contextlib.AsyncExitStack() as stack:
        database = stack.enter_context(open_existing(settings))
        session = await stack.enter_async_context(open_session())
        x = await stack.enter_async_context(open_x(settings))
        web = build_web_client(settings.slack_bot_token, settings.slack_api_url, session)
        poster = Poster(web, ResponseUrls(session, settings.slack_api_url), utc_now)
        recipient_key = await load_recipient_key(settings, database)
        search = CustomerSearch(database, x, PeopleInSlack(web, database), recipient_key)
        yield search, Eraser(database, poster, RETRY_PAUSES_SECONDS)


def _describe(channel: str, survey_id: int) -> str:
    return f"In channel {channel}, survey {survey_id}"


def _format(result: ErasureResult) -> list[str]:
    erased, changed = pluralize(result.erased, "survey"), pluralize(result.messages, "message")
    lines = [f"Erased {erased}, and changed {changed} in Slack."]
    if result.erased:
        lines.append("Backups made before still have the customer.")
    if result.cancelled:
        lines.append(f"Canceled {pluralize(result.cancelled, 'survey')} before sending.")
    lines += dict.fromkeys(result.advice)
    if result.remaining:
        again = "Run this command again later."
        if result.last_check and result.last_check > utc_now():
            checked = format_moment(result.last_check + CHECK_DURATION)
            again = f"The last one is checked by {checked}: run this command again then."
        remaining = pluralize(result.remaining, "survey")
        lines.append(f"{remaining} not erased yet: being sent, checked or announced. {again}")
    return lines

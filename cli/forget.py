"""`python app.py forget @handle`: erases a customer from the database and from messages in Slack."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import typer

from blocks import erased_messages
from blocks.elements import Message
from cli.existing_database import open_existing
from cli.named_customers import name_customer
from cli.slack_customers import PeopleInSlack
from csat.clock import utc_now
from csat.db import erasure, opt_outs
from csat.db.database import Database
from csat.db.erasure import CustomerSurveys, PostedMessage
from csat.db.outbox import NotificationKind
from csat.english_dates import format_moment
from csat.reporting.formatting import pluralize
from csat.settings import Settings
from csat.slack_api.errors import SlackError, SlackRefused, SlackUnavailable
from csat.slack_api.posting import Posted, Poster
from csat.slack_api.response_urls import ResponseUrls
from csat.slack_api.web_client import build_web_client, open_session
from csat.surveys.recipients import Recipient, XAccount
from csat.surveys.transport_errors import TransportError
from csat.values_from_settings import load_recipient_key, open_x
from csat.x_api.client import XClient
from csat.x_api.error_explanations import explain
from csat.x_api.refusals import RecipientUnknown

RETRY_PAUSES_SECONDS = (1.0, 5.0, 15.0)
"""Pauses before each retry while Slack is unavailable; longer if Slack asks for it."""
MESSAGE_NOT_FOUND = "message_not_found"
"""Slack's error for a message that somebody deleted."""

CHECK_DURATION = timedelta(minutes=1)
"""How long it takes at most until an uncertain survey that is due was looked for."""

WAL_NOT_TRUNCATED = "The database's log (-wal) is in use and can't be emptied. Restart the app to empty it."

WITHOUT_X = (
    "Without the keys of X this app can't ask X who has this handle. Surveys under earlier handles of this "
    "customer may be left. To find them, run this command with the customer's numeric id. A person in Slack "
    "is named by their member ID (U...)."
)

OPT_OUT_KEPT = "They asked not to be surveyed: that stays on file, as a keyed hash, so that nobody asks them."


class SearchResult(NamedTuple):
    """The surveys of a customer that were found."""

    found: CustomerSurveys
    remark: str
    """What the operator has to know before they are erased, or ""."""
    not_searched: str
    """What was not searched, why, and what to do about it; "" after a complete search."""


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
    """Finds and erases the data of a customer.

    Args:
        database: has the customer's surveys.
        x: tells who has a handle; `None` without an account on X.
        poster: changes messages in Slack.
        people: tells in which workspace a person in Slack is.
        recipient_key: returns the keyed hash of a customer's id.
        pauses: the seconds before each retry while Slack is unavailable.
    """

    def __init__(
        self,
        database: Database,
        x: XClient | None,
        poster: Poster,
        people: PeopleInSlack,
        recipient_key: Callable[[str], str],
        pauses: Sequence[float],
    ) -> None:
        self._database = database
        self._x = x
        self._poster = poster
        self.people = people
        self._recipient_key = recipient_key
        self._pauses = pauses

    async def find(self, recipient: Recipient) -> SearchResult:
        """Find the customer's surveys, also under their earlier handles if X says who they are."""
        recipient, not_searched = await self._look_up(recipient)
        found = await self._database.read(erasure.find_surveys, recipient)
        remarks = []
        if len(found.recipient_ids) > 1:
            owners = ", ".join(found.recipient_ids)
            remarks.append(
                f"This handle has had several owners on X ({owners}). To erase only one, enter their id."
            )
        keys = map(self._recipient_key, found.recipient_ids)
        if await self._database.read(opt_outs.count_known, keys):
            remarks.append(OPT_OUT_KEPT)
        return SearchResult(found, " ".join(remarks), not_searched)

    async def erase(self, found: CustomerSurveys) -> ErasureResult:
        """Cancel waiting surveys, change the messages in Slack, and erase the data, survey by survey."""
        result = ErasureResult()
        cancelled = await self._database.run_with_retry(erasure.cancel_waiting, found.survey_ids)
        result.cancelled = len(cancelled)
        for requester in cancelled.values():
            await self._notify_of_cancellation(requester, result)
        for survey_id in await self._database.read(erasure.list_erasable, found.survey_ids):
            await self._erase_survey(survey_id, result)
        if not await self._database.truncate_wal():
            result.advice.append(WAL_NOT_TRUNCATED)
        result.remaining = len(found.survey_ids) - result.erased
        result.last_check = await self._database.read(erasure.find_last_check, found.survey_ids)
        return result

    async def _look_up(self, recipient: Recipient) -> tuple[Recipient, str]:
        """Add the id of a handle's current owner, or say what is not searched without it."""
        if recipient.id:
            return recipient, ""
        if self._x is None:
            return recipient, WITHOUT_X
        try:
            account = await self._x.look_up_user(recipient)
        except RecipientUnknown:
            return recipient, ""
        except TransportError as error:
            return recipient, (
                f"X did not say who has this handle: {explain(error)}. Surveys under earlier handles of this "
                "customer may be left. Run this command again later, or with the customer's numeric id."
            )
        return XAccount(handle=recipient.handle, id=account.id), ""

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
        result.erased += await self._database.run_with_retry(erasure.erase, survey_id)

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
    async with open_eraser(settings) as eraser:
        recipient = await eraser.people.with_workspace(recipient)
        search = await eraser.find(recipient)
        survey_ids = search.found.survey_ids
        on_file = pluralize(len(survey_ids), "survey")
        typer.echo(f"{on_file} on file for {name_customer(recipient)}. {search.remark}".rstrip())
        if survey_ids and not (yes or typer.confirm("Erase this customer? This can't be undone.")):
            typer.echo("Nothing was forgotten.")
            raise typer.Exit(1)
        remaining = 0
        if survey_ids:
            result = await eraser.erase(search.found)
            typer.echo("\n".join(_format(result)))
            remaining = result.remaining
        if search.not_searched:
            typer.echo(search.not_searched)
        if remaining or search.not_searched:
            raise typer.Exit(1)


@contextlib.asynccontextmanager
async def open_eraser(settings: Settings) -> AsyncIterator[Eraser]:
    """Connect to the database, Slack and X until the block ends; raises `DatabaseError`."""
    async with contextlib.AsyncExitStack() as stack:
        database = stack.enter_context(open_existing(settings))
        session = await stack.enter_async_context(open_session())
        x = await stack.enter_async_context(open_x(settings))
        web = build_web_client(settings.slack_bot_token, settings.slack_api_url, session)
        poster = Poster(web, ResponseUrls(session, settings.slack_api_url), utc_now)
        recipient_key = await load_recipient_key(settings, database)
        yield Eraser(database, x, poster, PeopleInSlack(web, database), recipient_key, RETRY_PAUSES_SECONDS)


def _describe(channel: str, survey_id: int) -> str:
    return f"In channel {channel}, survey {survey_id}"


def _format(result: ErasureResult) -> list[str]:
    erased, changed = pluralize(result.erased, "survey"), pluralize(result.messages, "message")
    lines = [f"Erased {erased}, and changed {changed} in Slack."]
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

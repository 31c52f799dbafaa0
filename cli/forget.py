"""`python app.py forget @handle`: erases a customer from the database and from messages in Slack."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import typer

from bootstrap.values_from_settings import load_recipient_key, open_x
from cli.command_runner import cancel_on_sigterm
from cli.customer_messages import CustomerMessages, ErasureResult, MessagesInSlack, MessagesLeft
from cli.customer_search import CustomerSearch, SearchResult
from cli.errors import CommandError
from cli.existing_database import open_existing
from cli.named_customers import name_customer
from cli.slack_customers import OwnWorkspaceUnknown, PeopleInSlack
from cli.slack_customers_on_file import PeopleOnFile
from csat.clock import utc_now
from csat.db import erasure
from csat.db.database import Database
from csat.english_dates import format_moment
from csat.reporting.formatting import pluralize
from csat.settings import Settings
from csat.slack_api.errors import SlackUnavailable
from csat.slack_api.posting import Poster
from csat.slack_api.response_urls import ResponseUrls
from csat.slack_api.web_client import build_web_client, open_session
from csat.surveys.recipients import Recipient

RETRY_PAUSES_SECONDS = (1.0, 5.0, 15.0)
"""Pauses before each retry while Slack is unavailable; longer if Slack asks for it."""

CHECK_DURATION = timedelta(minutes=1)
"""How long it takes at most until an uncertain survey that is due was looked for."""

NOT_FOUND = (
    "If prune removed surveys to them, or a restore lost some, what the app posted about those is still in "
    "Slack: search for the customer there. A person in Slack is named by their member ID (U...)."
)
STOPPED = "Stopped before all was done. To go on, run this command again."
WAL_NOT_TRUNCATED = "The database's log (-wal) is in use and can't be emptied. Restart the app to empty it."


class Eraser:
    """Erases the data of a customer.

    Args:
        database: has the customer's surveys.
        messages: changes the messages in Slack, or leaves them.
    """

    def __init__(self, database: Database, messages: CustomerMessages) -> None:
        self._database = database
        self._messages = messages

    async def erase(self, survey_ids: list[int], result: ErasureResult) -> None:
        """Cancel waiting surveys, change the messages in Slack, and erase the data, survey by survey."""
        cancelled = await self._database.run_with_retry(erasure.cancel_waiting, survey_ids)
        result.cancelled = len(cancelled)
        await self._messages.announce_cancellations(cancelled, result)
        await self._messages.withdraw(survey_ids)
        for survey_id in await self._database.read(erasure.list_erasable, survey_ids, utc_now()):
            await self._erase_survey(survey_id, result)
        if not await self._database.truncate_wal():
            result.advice.append(WAL_NOT_TRUNCATED)
        result.remaining = len(survey_ids) - result.erased
        result.last_check = await self._database.read(erasure.find_last_check, survey_ids)

    async def _erase_survey(self, survey_id: int, result: ErasureResult) -> None:
        try:
            await self._messages.replace(survey_id, result)
        except SlackUnavailable as error:
            result.advice.append(f"Slack is unavailable at the moment ({error}).")
            return
        result.erased += await self._database.run_with_retry(erasure.erase, survey_id, utc_now())


async def run(
    settings: Settings,
    recipient: Recipient,
    *,
    yes: bool,
    without_slack: bool = False,
    retry_pauses: Sequence[float] = RETRY_PAUSES_SECONDS,
) -> None:
    """Erase a customer after confirmation and print the result; exit with 1 if surveys remain or may do."""
    opened = open_without_slack(settings) if without_slack else open_search_and_eraser(settings, retry_pauses)
    async with opened as (search, eraser):
        recipient, found = await _find(search, recipient)
        on_file = pluralize(found.total, "survey")
        typer.echo(f"{on_file} on file for {name_customer(recipient)}. {found.remark}".rstrip())
        if found.survey_ids and not (yes or typer.confirm("Erase this customer? This can't be undone.")):
            typer.echo("Nothing was forgotten.")
            raise typer.Exit(1)
        remaining = 0
        if found.survey_ids:
            result = await _erase(eraser, found.survey_ids)
            typer.echo("\n".join(_format(result)))
            remaining = result.remaining
        for reason in found.left_out:
            typer.echo(reason)
        if not (found.total or found.left_out):
            typer.echo(NOT_FOUND)
        if remaining or found.left_out:
            raise typer.Exit(1)


@contextlib.asynccontextmanager
async def open_search_and_eraser(
    settings: Settings, retry_pauses: Sequence[float] = RETRY_PAUSES_SECONDS
) -> AsyncIterator[tuple[CustomerSearch, Eraser]]:
    """Connect to the database, Slack and X until the block ends; raises `DatabaseError`."""
    with open_existing(settings) as database:
        async with open_session(settings.timeouts) as session:
            web = build_web_client(
                settings.slack_bot_token, settings.slack_api_url, session, settings.timeouts
            )
            poster = Poster(web, ResponseUrls(session, settings.slack_api_url), utc_now)
            messages = MessagesInSlack(database, poster, retry_pauses)
            async with _open_search(settings, database, PeopleInSlack(web, database)) as search:
                yield search, Eraser(database, messages)


@contextlib.asynccontextmanager
async def open_without_slack(settings: Settings) -> AsyncIterator[tuple[CustomerSearch, Eraser]]:
    """Connect to the database and X alone until the block ends; raises `DatabaseError`."""
    with open_existing(settings) as database:
        async with _open_search(settings, database, PeopleOnFile(database)) as search:
            yield search, Eraser(database, MessagesLeft(database))


@contextlib.asynccontextmanager
async def _open_search(
    settings: Settings, database: Database, people: PeopleInSlack | PeopleOnFile
) -> AsyncIterator[CustomerSearch]:
    async with open_x(settings) as x:
        yield CustomerSearch(database, x, people, await load_recipient_key(settings, database))


async def _find(search: CustomerSearch, recipient: Recipient) -> tuple[Recipient, SearchResult]:
    """Return a customer with their workspace, and their surveys; raises `CommandError`."""
    try:
        recipient = await search.people.with_workspace(recipient)
        return recipient, await search.find(recipient)
    except OwnWorkspaceUnknown as error:
        advice = str(error).removesuffix(".")
        raise CommandError(f"{advice}, or erase the database alone with --without-slack.") from error


async def _erase(eraser: Eraser, survey_ids: list[int]) -> ErasureResult:
    """Erase surveys; if that is interrupted, print what was done, and that it has to go on."""
    cancel_on_sigterm()
    result = ErasureResult()
    try:
        await eraser.erase(survey_ids, result)
    except asyncio.CancelledError:
        typer.echo("\n".join((*_format(result), STOPPED)))
        raise
    return result


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

"""`python app.py forget @handle`: erase a customer from the ledger, and from our messages in Slack."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import aiohttp
import typer
from slack_sdk.web.async_client import AsyncWebClient

from blocks import erased_messages
from blocks.elements import Message
from csat.clock import utc_now
from csat.db import erasure
from csat.db.database import Database
from csat.db.erasure import Found, Said
from csat.db.outbox import NotificationKind
from csat.resources import build_credentials
from csat.settings import Settings
from csat.slack_api.errors import SlackError, SlackRefused, SlackUnavailable
from csat.slack_api.posting import Posted, Poster
from csat.slack_api.response_urls import ResponseUrls
from csat.surveys.recipients import Recipient
from csat.x_api.client import XClient, open_http_client
from csat.x_api.errors import RecipientUnknown, XError

TIMEOUT = 10
PAUSES = (1.0, 5.0, 15.0)
"""Seconds before each repetition of what Slack was too busy for; more, where it says so."""
GONE = "message_not_found"
"""Slack's reason where somebody has deleted the message already."""

STILL_IN_LOG = "The database's log (-wal) could not be emptied now: restart the app to have it emptied."


class Outcome(NamedTuple):
    """What became of it: how many surveys and messages, and what a person still has to do."""

    done: Counter[str]
    advice: list[str]
    left: int
    """Surveys that could not be erased yet."""


class Forgetting:
    """Finds what is kept of a customer, and erases it.

    Args:
        pauses: seconds before each repetition of what Slack was too busy for.
    """

    def __init__(
        self, database: Database, x: XClient, poster: Poster, pauses: Sequence[float] = PAUSES
    ) -> None:
        self._database = database
        self._x = x
        self._poster = poster
        self._pauses = pauses

    async def find(self, typed: Recipient) -> tuple[Found, str]:
        """Return what is kept of a customer, and what to know before it is erased."""
        known, remark = await self._looked_up(typed)
        found = await self._database.read(erasure.find, known)
        if len(found.recipient_ids) > 1:
            owners = ", ".join(found.recipient_ids)
            remark = f"This handle has had several owners on X ({owners}). To erase only one, give the id."
        return found, remark

    async def forget(self, found: Found) -> Outcome:
        """Call off what waits, change what Slack shows, and erase what is kept, survey by survey."""
        outcome = Outcome(Counter(), [], 0)
        cancelled = await self._database.run_with_retry(erasure.cancel_waiting, found.survey_ids)
        outcome.done["called off"] = len(cancelled)
        for requester in cancelled.values():
            await self._tell_called_off(requester, outcome)
        for survey_id in await self._database.read(erasure.quiet, found.survey_ids):
            await self._forget(survey_id, outcome)
        if not await self._database.truncate_wal():
            outcome.advice.append(STILL_IN_LOG)
        return outcome._replace(left=len(found.survey_ids) - outcome.done["erased"])

    async def _looked_up(self, typed: Recipient) -> tuple[Recipient, str]:
        """Ask X whose handle it is now; somebody may have changed theirs since they were asked."""
        if typed.id:
            return typed, ""
        try:
            account = await self._x.look_up_user(typed)
        except RecipientUnknown:
            return typed, ""
        except XError as error:
            return typed, f"X could not be asked who that is ({error}): surveys under older handles stay."
        return Recipient(handle=typed.handle, id=account.id), ""

    async def _forget(self, survey_id: int, outcome: Outcome) -> None:
        for said in await self._database.read(erasure.said, survey_id):
            try:
                await self._unsay(said, outcome)
            except SlackUnavailable as error:
                outcome.advice.append(f"Slack takes no changes at the moment ({error}).")
                return
        outcome.done["erased"] += await self._database.run_with_retry(erasure.erase, survey_id)

    async def _unsay(self, said: Said, outcome: Outcome) -> None:
        """Change a message; what can't be changed is told to the operator. Raises `SlackUnavailable`."""
        if not said.ts and said.kind is NotificationKind.SENT:
            outcome.advice.append(
                f"{_place(said)}: Slack never told where our message is. Look there for it."
            )
        if not said.ts:
            return  # seen by one person, and not kept by Slack
        message = (
            erased_messages.confirmation(said.requester)
            if said.kind is NotificationKind.SENT
            else erased_messages.private_message()
        )
        try:
            await self._rewrite(said, message)
        except SlackRefused as error:
            if str(error) != GONE:
                outcome.advice.append(f"{_place(said)}: not changed ({error}). Delete the message there.")
        else:
            outcome.done["rewritten"] += 1

    async def _rewrite(self, said: Said, message: Message) -> None:
        posted = Posted(said.channel, said.ts)
        for pause in self._pauses:
            try:
                return await self._poster.update_message(posted, *message)
            except SlackUnavailable as error:
                await asyncio.sleep(max(pause, error.retry_after))
        return await self._poster.update_message(posted, *message)

    async def _tell_called_off(self, requester: str, outcome: Outcome) -> None:
        try:
            await self._poster.post_dm(requester, *erased_messages.cancellation())
        except SlackError as error:
            outcome.advice.append(f"<@{requester}> could not be told that a survey was called off ({error}).")


async def run(settings: Settings, typed: Recipient, *, yes: bool) -> None:
    """Erase a customer if the operator agrees, and tell what was done; exit with 1 where some is left."""
    async with forgetting(settings) as forgetter:
        found, remark = await forgetter.find(typed)
        typer.echo(f"{len(found.survey_ids)} surveys to {typed.label} are kept. {remark}".rstrip())
        if not found.survey_ids or not (yes or typer.confirm("Erase this customer? It can't be undone.")):
            return
        outcome = await forgetter.forget(found)
        typer.echo("\n".join(_lines(outcome)))
        if outcome.left:
            raise typer.Exit(1)


@contextlib.asynccontextmanager
async def forgetting(settings: Settings) -> AsyncIterator[Forgetting]:
    """Open the ledger and the ways to Slack and X until the block ends; raises `DatabaseError`."""
    async with contextlib.AsyncExitStack() as stack:
        database = Database(settings.database_url.get_secret_value())
        stack.callback(database.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        http = open_http_client(build_credentials(settings), settings.x_api_url)
        x = XClient(await stack.enter_async_context(http))
        token = settings.slack_bot_token.get_secret_value()
        base_url = f"{settings.slack_api_url}/"
        web = AsyncWebClient(token, base_url=base_url, timeout=TIMEOUT, session=session)
        poster = Poster(web, ResponseUrls(session, settings.slack_api_url), utc_now)
        yield Forgetting(database, x, poster)


def _lines(outcome: Outcome) -> list[str]:
    done = outcome.done
    lines = [f"Erased from {done['erased']} surveys; {done['rewritten']} messages in Slack changed."]
    if done["called off"]:
        lines.append(f"{done['called off']} of them waited to be sent, and were called off.")
    lines += dict.fromkeys(outcome.advice)
    if outcome.left:
        lines.append(f"{outcome.left} left: still being sent, settled or told. Run this again later.")
    return lines


def _place(said: Said) -> str:
    return f"In channel {said.channel}, survey {said.survey_id}"

"""Log unexpected errors under a short reference, and show the reference to the person."""

import contextlib
import logging
from functools import partial
from typing import Any

from pydantic import ValidationError
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from blocks.elements import plain_message
from csat.background_tasks import log_with_reference
from csat.db.errors import CommitUnknown, DatabaseError, Rejected
from csat.slack_api.errors import TOKEN_ERRORS, SlackError, SlackUnavailable
from csat.slack_api.payloads import AppHomeOpened, Interaction, SlashCommand, SubmittedForm
from csat.surveys.origin import Origin
from handlers.services import Services

UNEXPECTED = (
    "Something went wrong in this app. Try again in a minute. "
    "If it keeps happening, give an admin of this app the reference {reference}."
)

UNKNOWN = (
    "We can't tell whether this was done. Try again in a minute: it's done only once. "
    "If it keeps happening, give an admin of this app the reference {reference}."
)
"""After a lost commit: what changes anything can be repeated."""

SLACK_BUSY = "Slack is busy, so this app couldn't answer you. Try again in a minute."

APP_REJECTED = "Slack rejects this app at the moment, so it can't answer you. Tell an admin of this app."

DATABASE_UNAVAILABLE = (
    "This app's database is unavailable at the moment. Try again in a minute. "
    "If it keeps happening, tell an admin of this app."
)

log = logging.getLogger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Register the error handler."""
    app.error(partial(report_error, services))


async def report_error(
    services: Services, error: Exception, ack: AsyncAck, body: dict[str, Any]
) -> BoltResponse | None:
    """Log an error that no listener has handled, and tell the person; return the acknowledgement.

    An open form stays open. Nobody is told if the error is that the payload does not say who sent it.
    """
    what = str(body.get("type") or body.get("command") or "a request")
    apology = _log(error, what)
    if ack.response is None and (first_input := _find_input(body)):
        return await ack(response_action="errors", errors={first_input: apology})
    if ack.response is None:
        await ack()
    with contextlib.suppress(ValidationError):
        origin = _origin(services, body)
        try:
            await services.reply(origin, plain_message(apology))
        except SlackError as unreachable:
            log.warning("Nobody was told that %s failed: %s", what, unreachable)
    return ack.response


def _log(error: Exception, what: str) -> str:
    """Log an error, and return what the person reads."""
    if isinstance(error, SlackUnavailable):
        log.warning("%s was not answered, as Slack is unavailable: %s", what, error)
        return APP_REJECTED if str(error) in TOKEN_ERRORS else SLACK_BUSY
    if isinstance(error, DatabaseError) and not isinstance(error, CommitUnknown | Rejected):
        log.warning("%s was not answered, as the database is unavailable: %s", what, error)
        return DATABASE_UNAVAILABLE
    reference = log_with_reference(error, what)
    return (UNKNOWN if isinstance(error, CommitUnknown) else UNEXPECTED).format(reference=reference)


def _origin(services: Services, body: dict[str, Any]) -> Origin:
    now = services.clock()
    if "event" in body:
        user = AppHomeOpened.model_validate(body).user
        return Origin(team="", channel="", requester=user, received_at=now)
    payload = SlashCommand.model_validate(body) if "command" in body else Interaction.model_validate(body)
    return payload.origin(now)


def _find_input(body: dict[str, Any]) -> str | None:
    """Return the block id of the first input in a submitted form."""
    if body.get("type") != "view_submission":
        return None
    try:
        return SubmittedForm.model_validate(body).first_input
    except ValidationError:
        return None

"""Log unexpected errors under a short reference, and show the reference to the person."""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.elements import plain_message
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import AppHomeOpened, Interaction, SlashCommand
from csat.surveys.survey import Origin
from csat.tasks import log_with_reference
from handlers.services import Services

UNEXPECTED = (
    "Something went wrong in this app. Try again in a minute. "
    "If it keeps happening, tell an admin of this app the reference {reference}."
)


def register(app: AsyncApp, services: Services) -> None:
    """Register the error handler."""
    app.error(partial(report_error, services))


async def report_error(services: Services, error: Exception, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Log an unexpected error, and show its reference; an open form stays open."""
    reference = log_with_reference(error, body.get("type") or body.get("command") or "a request")
    apology = UNEXPECTED.format(reference=reference)
    if body.get("type") == "view_submission" and ack.response is None:
        await ack(response_action="errors", errors=dict.fromkeys(_first_input(body), apology))
        return
    if ack.response is None:
        await ack()
    try:
        await services.reply(_origin(services, body), plain_message(apology))
    except SlackError as unreachable:
        log_with_reference(unreachable, f"telling of reference {reference}")


def _origin(services: Services, body: dict[str, Any]) -> Origin:
    now = services.clock()
    if "event" in body:
        user = AppHomeOpened.model_validate(body).user
        return Origin(team="", channel="", requester=user, received_at=now)
    payload = SlashCommand.model_validate(body) if "command" in body else Interaction.model_validate(body)
    return payload.origin(now)


def _first_input(body: dict[str, Any]) -> list[str]:
    return [block["block_id"] for block in body["view"]["blocks"] if block["type"] == "input"][:1]

"""Where everything ends up that nobody expected: logged under a short reference, which the person is told."""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.elements import plain_message
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Command, HomeOpened, Interaction
from csat.surveys.survey import Origin
from csat.tasks import log_with_reference
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Connect the boundary."""
    app.error(partial(tell, services))


async def tell(services: Services, error: Exception, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Log an unexpected error, and tell the person under which reference it is found."""
    reference = log_with_reference(error, body.get("type") or body.get("command") or "a request")
    apology = f"Something went wrong in this app. Try again in a minute; if it goes on, report {reference}."
    if body.get("type") == "view_submission" and ack.response is None:
        await ack(response_action="errors", errors=dict.fromkeys(_first_input(body), apology))
        return
    if ack.response is None:
        await ack()
    try:
        await services.tell(_origin(services, body), plain_message(apology))
    except SlackError as unreachable:
        log_with_reference(unreachable, f"telling of reference {reference}")


def _origin(services: Services, body: dict[str, Any]) -> Origin:
    if "event" in body:
        return Origin(
            team="", channel="", requester=HomeOpened.model_validate(body).user, received_at=services.clock()
        )
    given = Command.model_validate(body) if "command" in body else Interaction.model_validate(body)
    return given.origin(services.clock())


def _first_input(body: dict[str, Any]) -> list[str]:
    return [block["block_id"] for block in body["view"]["blocks"] if block["type"] == "input"][:1]

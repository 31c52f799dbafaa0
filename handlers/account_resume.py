"""The button "Resume now" in the operators' message about a paused X account."""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import pause_alerts
from blocks.elements import Message, plain_message
from csat.delivery.circuit_breaker import NotPaused, Resumed, StillPaused
from csat.slack_api.payloads import Interaction
from handlers.services import Services

OPERATORS_ONLY = "Only operators can resume sending. Ask an admin of this app to add you to CSAT_OPERATORS."
OTHER_ACCOUNT = "Nothing was changed: this message is about an X account that this app isn't using now."


def register(app: AsyncApp, services: Services) -> None:
    """Register the listener for the button."""
    app.action(pause_alerts.RESUME_ACTION)(partial(resume, services))


async def resume(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Resume the account if X accepts it again, and say who did in place of the message."""
    await ack()
    interaction = Interaction.model_validate(body)
    origin = interaction.origin(services.clock())
    if interaction.user not in services.operators:
        await services.reply(origin, plain_message(OPERATORS_ONLY))
    elif interaction.value != services.account:
        await services.reply(origin, plain_message(OTHER_ACCOUNT))
    else:
        await services.replace(origin, await _resume(services, interaction.user, interaction.message.ts))


async def _resume(services: Services, operator: str, ts: str) -> Message:
    match await services.breaker.resume(operator, ts):
        case Resumed():
            return pause_alerts.resumed(operator, services.clock())
        case NotPaused():
            return plain_message(pause_alerts.ALREADY_RESUMED)
        case StillPaused(refusal):
            return pause_alerts.still_paused(
                services.account, refusal.reason, refusal.fix, operator, services.clock()
            )

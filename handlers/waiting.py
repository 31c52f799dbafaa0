"""A survey that X keeps waiting, and how to call it off."""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import notifications
from blocks.elements import plain_message
from csat.db import send_queue
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Interaction
from csat.surveys.states import State
from handlers.services import Services

OUTCOMES = {
    State.CANCELLED: "Cancelled. Nothing was sent.",
    State.SENDING: "Too late to cancel: the survey is on its way to X. You will be told what became of it.",
    State.UNCERTAIN: "Too late to cancel: the survey left for X, and X did not say whether it arrived.",
    State.REFUSED: "Nothing to cancel: the survey was not sent.",
    None: "Only the person who asked for this survey can cancel it.",
}
ALREADY_SENT = "Too late to cancel: the survey was already sent."


def register(app: AsyncApp, services: Services) -> None:
    """Connect the button."""
    app.action(notifications.CANCEL_ACTION)(partial(cancel, services))


async def cancel(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Call a survey off while it waits, and say so where the button was; the requester always may."""
    await ack()
    pressed = Interaction.model_validate(body)
    origin = pressed.origin(services.clock())
    state = await services.database.run(send_queue.cancel, int(pressed.value or 0), pressed.user)
    outcome = plain_message(OUTCOMES.get(state, ALREADY_SENT))
    try:
        await services.slack.poster.replace_original(origin, *outcome)
    except SlackError:
        await services.tell(origin, outcome)

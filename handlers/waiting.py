"""A survey that X keeps waiting, and how to call it off."""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import news
from blocks.kit import plain
from handlers.desk import Desk
from ledger import sending
from slack.errors import SlackError
from slack.payloads import Interaction
from surveys.states import State

OUTCOMES = {
    State.CANCELLED: "Cancelled. Nothing was sent.",
    State.SENDING: "Too late to cancel: the survey is on its way to X. You will be told what became of it.",
    State.UNCERTAIN: "Too late to cancel: the survey left for X, and X did not say whether it arrived.",
    State.REFUSED: "Nothing to cancel: the survey was not sent.",
    None: "Only the person who asked for this survey can cancel it.",
}
ALREADY_SENT = "Too late to cancel: the survey was already sent."


def register(app: AsyncApp, desk: Desk) -> None:
    """Connect the button."""
    app.action(news.CANCEL)(partial(cancel, desk))


async def cancel(desk: Desk, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Call a survey off while it waits, and say so where the button was; the requester always may."""
    await ack()
    pressed = Interaction.model_validate(body)
    origin = pressed.origin(desk.clock())
    state = await desk.ledger.run(sending.cancel, int(pressed.value or 0), pressed.user)
    outcome = plain(OUTCOMES.get(state, ALREADY_SENT))
    try:
        await desk.slack.poster.replace(origin, *outcome)
    except SlackError:
        await desk.tell(origin, outcome)

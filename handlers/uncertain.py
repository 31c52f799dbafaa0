"""A survey of which nobody knows whether it arrived, and what its requester says."""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import notifications
from blocks.kit import plain
from csat.db import send_queue, submissions
from csat.db.outbox import Notice
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Interaction
from csat.slack_api.permissions import MayNot
from csat.surveys.limits import Denied
from handlers.services import Desk

CONFIRMED = "Noted: it arrived. The confirmation follows."
AGAIN = "It is sent again. You will be told what became of it."
LEFT = "Left as it is. X's own record tells tomorrow, and so will we."
SETTLED = "This survey is settled already, or is not yours."


def register(app: AsyncApp, desk: Desk) -> None:
    """Connect the buttons."""
    app.action(notifications.ARRIVED)(partial(arrived, desk))
    app.action(notifications.SEND_AGAIN)(partial(send_again, desk))
    app.action(notifications.LEAVE)(partial(leave, desk))


async def arrived(desk: Desk, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Settle a survey as sent."""
    await ack()
    pressed = Interaction.model_validate(body)
    survey_id = int(pressed.value or 0)
    settled = await desk.ledger.run(send_queue.confirm, survey_id, pressed.user, desk.clock())
    await _answer(desk, pressed, CONFIRMED if settled else SETTLED)
    if settled:
        desk.dispatcher.tell(survey_id, Notice.SENT)


async def send_again(desk: Desk, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Send a survey once more, if its requester may and no limit stands in the way."""
    await ack()
    pressed = Interaction.model_validate(body)
    try:
        await desk.slack.members.check(pressed.user)
        entry = await desk.ledger.run(
            submissions.send_again,
            int(pressed.value or 0),
            pressed.user,
            desk.instance,
            desk.limits,
            desk.clock(),
        )
    except MayNot as refusal:
        await desk.tell(pressed.origin(desk.clock()), plain(str(refusal)))
        return
    except Denied as denied:
        await desk.tell(pressed.origin(desk.clock()), plain(denied.why_not.sentence()))
        return
    if entry:
        desk.dispatcher.start(entry)
    await _answer(desk, pressed, AGAIN if entry else SETTLED)


async def leave(desk: Desk, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Leave it to X's own record."""
    await ack()
    await _answer(desk, Interaction.model_validate(body), LEFT)


async def _answer(desk: Desk, pressed: Interaction, words: str) -> None:
    origin = pressed.origin(desk.clock())
    try:
        await desk.slack.poster.replace(origin, *plain(words))
    except SlackError:
        await desk.tell(origin, plain(words))

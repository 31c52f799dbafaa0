"""A survey of which nobody knows whether it arrived, and what its requester says."""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import notifications
from blocks.elements import plain_message
from csat.db import send_queue, submissions
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Interaction
from csat.slack_api.permissions import PermissionDenied
from csat.surveys.limits import Denied
from handlers.services import Services

CONFIRMED = "Noted: it arrived. The confirmation follows."
AGAIN = "It is sent again. You will be told what became of it."
LEFT = "Left as it is. X's own record tells tomorrow, and so will we."
SETTLED = "This survey is settled already, or is not yours."


def register(app: AsyncApp, services: Services) -> None:
    """Connect the buttons."""
    app.action(notifications.ARRIVED_ACTION)(partial(arrived, services))
    app.action(notifications.SEND_AGAIN_ACTION)(partial(send_again, services))
    app.action(notifications.LEAVE_ACTION)(partial(leave, services))


async def arrived(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Settle a survey as sent."""
    await ack()
    pressed = Interaction.model_validate(body)
    survey_id = int(pressed.value or 0)
    notification = await services.database.run(
        send_queue.confirm_arrival, survey_id, pressed.user, services.clock()
    )
    await _answer(services, pressed, CONFIRMED if notification else SETTLED)
    if notification:
        services.notify(notification)


async def send_again(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Send a survey once more, if its requester may and no limit stands in the way."""
    await ack()
    pressed = Interaction.model_validate(body)
    try:
        await services.slack.permissions.check(pressed.user)
        entry = await services.database.run(
            submissions.send_again,
            int(pressed.value or 0),
            pressed.user,
            services.instance,
            services.limits,
            services.clock(),
        )
    except PermissionDenied as refusal:
        await services.tell(pressed.origin(services.clock()), plain_message(str(refusal)))
        return
    except Denied as denied:
        await services.tell(pressed.origin(services.clock()), plain_message(denied.denial.sentence()))
        return
    if entry:
        services.worker.start(entry)
    await _answer(services, pressed, AGAIN if entry else SETTLED)


async def leave(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Leave it to X's own record."""
    await ack()
    await _answer(services, Interaction.model_validate(body), LEFT)


async def _answer(services: Services, pressed: Interaction, words: str) -> None:
    origin = pressed.origin(services.clock())
    try:
        await services.slack.poster.replace_original(origin, *plain_message(words))
    except SlackError:
        await services.tell(origin, plain_message(words))

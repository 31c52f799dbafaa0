"""Open a modal within the three seconds that a trigger id lives, or say why it did not open."""

import logging
from typing import Any

from blocks.elements import plain_message
from csat.slack_api.errors import INSTALLATION_ERRORS, NoResponse, SlackError, SlackUnavailable
from csat.surveys.origin import Origin
from handlers.services import Services

EXCHANGED_TRIGGER = "exchanged_trigger_id"
"""Slack's error if another delivery of the same request has opened the modal."""
EXPIRED_TRIGGER = "expired_trigger_id"

MAYBE_OPENED = "Slack is slow. If no form opened, try again."
TOO_SLOW = "Slack took too long to open the form. Nothing was sent or changed. Try again."
BUSY = "Slack didn't open the form. Nothing was sent or changed. Try again in a minute."
NOT_OPENED = "Slack didn't open the form. Nothing was sent or changed. Tell an admin of this app."

log = logging.getLogger(__name__)


async def open_modal(services: Services, origin: Origin, trigger_id: str, view: dict[str, Any]) -> None:
    """Open a modal, or tell the person why it did not open; raises `SlackError` if that fails too."""
    try:
        await services.slack.open_view(trigger_id, view)
    except SlackError as error:
        already_open = str(error) == EXCHANGED_TRIGGER
        log.log(logging.INFO if already_open else logging.WARNING, "Slack did not open a modal: %s", error)
        if not already_open:
            await services.reply(origin, plain_message(_advice(error)))


def _advice(error: SlackError) -> str:
    if isinstance(error, NoResponse):
        return MAYBE_OPENED
    if isinstance(error, SlackUnavailable) and str(error) not in INSTALLATION_ERRORS:
        return BUSY
    return TOO_SLOW if str(error) == EXPIRED_TRIGGER else NOT_OPENED

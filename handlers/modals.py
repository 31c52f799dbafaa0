"""Opening a modal: Slack wants it within three seconds, and may refuse."""

import logging
from typing import Any

from blocks.elements import plain_message
from csat.slack_api.errors import BROKEN, Busy, Silent, SlackError
from csat.surveys.survey import Origin
from handlers.services import Services

EXCHANGED = "exchanged_trigger_id"
"""Slack's name for a window that another delivery of the same request has opened."""
EXPIRED = "expired_trigger_id"
PERHAPS_OPENED = "Slack is slow. If the window has not opened, try again."
TOO_SLOW = "Slack took too long to open the window. Nothing was sent or changed: try again."
NOT_NOW = "Slack did not open the window. Nothing was sent or changed: try again in a minute."
NOT_OPENED = "Slack did not open the window. Nothing was sent or changed: tell whoever runs this app."

log = logging.getLogger(__name__)


async def open_modal(services: Services, origin: Origin, trigger_id: str, view: dict[str, Any]) -> None:
    """Open a modal, or tell the person who wanted it why it did not open; raises `SlackError`."""
    try:
        await services.slack.open_view(trigger_id, view)
    except SlackError as error:
        known = str(error) == EXCHANGED
        log.log(logging.INFO if known else logging.WARNING, "Slack opened no window: %s", error)
        if not known:
            await services.tell(origin, plain_message(_why(error)))


def _why(error: SlackError) -> str:
    if isinstance(error, Silent):
        return PERHAPS_OPENED
    if isinstance(error, Busy) and str(error) not in BROKEN:
        return NOT_NOW
    return TOO_SLOW if str(error) == EXPIRED else NOT_OPENED

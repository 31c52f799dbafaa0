"""The app's Home: opened, and asked for something else."""

import logging
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from handlers.desk import Desk
from slack.errors import SlackError
from slack.payloads import HomeOpened

OPENED = "app_home_opened"
HOME = "home"
"""The tab; beside it there are the messages."""

log = logging.getLogger(__name__)


def register(app: AsyncApp, desk: Desk) -> None:
    """Connect the Home."""
    app.event(OPENED)(partial(opened, desk))


async def opened(desk: Desk, body: dict[str, Any]) -> None:
    """Show somebody what there is by now."""
    visit = HomeOpened.model_validate(body)
    if visit.tab == HOME:
        await _show(desk, visit.user)


async def _show(desk: Desk, person: str) -> None:
    try:
        await desk.homes.show(person)
    except SlackError as error:
        log.warning("Slack did not take the Home of %s: %s", person, error)

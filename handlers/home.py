"""The app's Home: opened, and asked for something else."""

import logging
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.choices import Id, chosen
from csat.db.errors import LedgerError
from csat.reporting.report_query import Choices
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Chosen, HomeOpened
from handlers.services import Desk
from notifications.app_home import Change, unchanged

OPENED = "app_home_opened"
HOME = "home"
"""The tab; beside it there are the messages."""

log = logging.getLogger(__name__)


def register(app: AsyncApp, desk: Desk) -> None:
    """Connect the Home."""
    app.event(OPENED)(partial(opened, desk))
    for action_id in Id:
        app.action(action_id)(partial(choose, desk))


async def opened(desk: Desk, body: dict[str, Any]) -> None:
    """Show somebody what there is by now."""
    visit = HomeOpened.model_validate(body)
    if visit.tab == HOME:
        await _show(desk, visit.user)


async def choose(desk: Desk, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Show a supervisor what they ask for now; anybody else gets the Home that they may see."""
    await ack()
    choice = Chosen.model_validate(body)
    today = desk.clock().astimezone(desk.zone).date()

    def change(choices: Choices) -> Choices:
        return chosen(choices, choice.action_id, choice.value, today)

    await _show(desk, choice.user, change)


async def renew(desk: Desk, person: str) -> None:
    """Let a Home that shows results show what has become of them; where it can't, it does so when opened."""
    try:
        await desk.homes.renew(person)
    except (SlackError, LedgerError) as error:
        log.warning("The Home of %s was not renewed: %s", person, error)


async def _show(desk: Desk, person: str, change: Change = unchanged) -> None:
    try:
        await desk.homes.show(person, change)
    except SlackError as error:
        log.warning("Slack did not take the Home of %s: %s", person, error)

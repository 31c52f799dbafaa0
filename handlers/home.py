"""The app's Home: opened, and asked for something else."""

import logging
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.report_controls import ActionId, apply_choice
from csat.db.errors import DatabaseError
from csat.reporting.report_query import ReportQuery
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import Chosen, HomeOpened
from handlers.services import Services
from notifications.app_home import Change, unchanged

OPENED = "app_home_opened"
HOME = "home"
"""The tab; beside it there are the messages."""

log = logging.getLogger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Connect the Home."""
    app.event(OPENED)(partial(opened, services))
    for action_id in ActionId:
        app.action(action_id)(partial(choose, services))


async def opened(services: Services, body: dict[str, Any]) -> None:
    """Show somebody what there is by now."""
    visit = HomeOpened.model_validate(body)
    if visit.tab == HOME:
        await _show(services, visit.user)


async def choose(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Show a supervisor what they ask for now; anybody else gets the Home that they may see."""
    await ack()
    choice = Chosen.model_validate(body)
    today = services.clock().astimezone(services.timezone).date()

    def change(choices: ReportQuery) -> ReportQuery:
        return apply_choice(choices, choice.action_id, choice.value, today)

    await _show(services, choice.user, change)


async def renew(services: Services, person: str) -> None:
    """Let a Home that shows results show what has become of them; where it can't, it does so when opened."""
    try:
        await services.app_home.refresh(person)
    except (SlackError, DatabaseError) as error:
        log.warning("The Home of %s was not renewed: %s", person, error)


async def _show(services: Services, person: str, change: Change = unchanged) -> None:
    try:
        await services.app_home.show(person, change)
    except SlackError as error:
        log.warning("Slack did not take the Home of %s: %s", person, error)

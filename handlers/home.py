"""The App Home: show it when it is opened, and when a supervisor changes the report."""

import logging
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.home_report_controls import ActionId, apply_choice
from csat.db.errors import DatabaseError
from csat.reporting.home_report_choices import ReportQuery
from csat.slack_api.errors import SlackError
from csat.slack_api.payloads import AppHomeOpened, BlockAction
from handlers.services import Services
from notifications.home_publisher import Change, unchanged

APP_HOME_OPENED = "app_home_opened"
HOME_TAB = "home"

log = logging.getLogger(__name__)


def register(app: AsyncApp, services: Services) -> None:
    """Register the listeners for the Home tab and its controls."""
    app.event(APP_HOME_OPENED)(partial(show_home, services))
    for action_id in ActionId:
        app.action(action_id)(partial(change_report, services))


async def show_home(services: Services, body: dict[str, Any]) -> None:
    """Show the current Home to the person who opened it."""
    opened = AppHomeOpened.model_validate(body)
    if opened.tab == HOME_TAB:
        await _show(services, opened.user)


async def change_report(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Show a supervisor the report they chose; anyone else gets their own Home."""
    await ack()
    choice = BlockAction.model_validate(body)
    today = services.clock().astimezone(services.timezone).date()

    def change(query: ReportQuery) -> ReportQuery:
        return apply_choice(query, choice.action_id, choice.value, today)

    await _show(services, choice.user, change)


async def refresh_home(services: Services, user: str) -> None:
    """Publish a supervisor's Home again; a failure is logged, as opening the Home refreshes it too."""
    try:
        await services.app_home.refresh(user)
    except (SlackError, DatabaseError) as error:
        log.warning("The Home of %s was not refreshed: %s", user, error)


async def _show(services: Services, user: str, change: Change = unchanged) -> None:
    try:
        await services.app_home.show(user, change)
    except SlackError as error:
        log.warning("Slack did not publish the Home of %s: %s", user, error)

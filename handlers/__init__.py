"""Listeners for commands, shortcuts, views and actions in Slack: one module for each journey."""

from slack_bolt.async_app import AsyncApp

from handlers import (
    account_resume,
    commands,
    customer_buttons,
    customer_forms,
    errors,
    form_editing,
    form_opening,
    form_submission,
    home,
    low_ratings,
    opt_outs,
    survey_buttons,
)
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Register every listener, the most used ones first: Bolt tries them in this order."""
    commands.register(app, services)
    form_opening.register(app, services)
    form_submission.register(app, services)
    form_editing.register(app, services)
    customer_buttons.register(app, services)
    customer_forms.register(app, services)
    survey_buttons.register(app, services)
    low_ratings.register(app, services)
    opt_outs.register(app, services)
    account_resume.register(app, services)
    home.register(app, services)
    errors.register(app, services)

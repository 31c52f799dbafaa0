"""What people do in Slack, one module for each journey."""

from slack_bolt.async_app import AsyncApp

from handlers import commands, errors, form, home, low_ratings, uncertain, waiting
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Connect every journey; the ones that people wait for most come first."""
    commands.register(app, services)
    form.register(app, services)
    waiting.register(app, services)
    uncertain.register(app, services)
    low_ratings.register(app, services)
    home.register(app, services)
    errors.register(app, services)

"""What people do in Slack, one module for each journey."""

from slack_bolt.async_app import AsyncApp

from handlers import commands, errors, form, home, low_ratings, uncertain, waiting
from handlers.services import Desk


def register(app: AsyncApp, desk: Desk) -> None:
    """Connect every journey; the ones that people wait for most come first."""
    commands.register(app, desk)
    form.register(app, desk)
    waiting.register(app, desk)
    uncertain.register(app, desk)
    low_ratings.register(app, desk)
    home.register(app, desk)
    errors.register(app, desk)

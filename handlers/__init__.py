"""What people do in Slack, one module for each journey."""

from slack_bolt.async_app import AsyncApp

from handlers import asking, boundary, form, home, low, uncertain, waiting
from handlers.desk import Desk


def register(app: AsyncApp, desk: Desk) -> None:
    """Connect every journey; the ones that people wait for most come first."""
    asking.register(app, desk)
    form.register(app, desk)
    waiting.register(app, desk)
    uncertain.register(app, desk)
    low.register(app, desk)
    home.register(app, desk)
    boundary.register(app, desk)

"""The switch that chooses how the app sends surveys; the page's owner restarts the app with the choice."""

import asyncio

from sandbox.pubsub import PubSub

CHOICES = ("all", "card", "link", "slack")
TOPIC = "transports"
RESTARTING = "The app restarts. Messages, surveys and answers stay."
RESTARTED = "The app has restarted with its other transports. Messages, surveys and answers are still there."


class TransportSwitch:
    """The chosen transports, and whether the app still has to take them on."""

    def __init__(self, pubsub: PubSub) -> None:
        self.chosen = CHOICES[0]
        self.changed = asyncio.Event()
        """Set when somebody makes another choice."""
        self.status = ""
        """Text shown on the page."""
        self._pubsub = pubsub

    def choose(self, choice: str) -> None:
        """Make one of `CHOICES`; has no effect if it is made already."""
        if choice in CHOICES and choice != self.chosen:
            self.chosen = choice
            self.changed.set()
            self._show(RESTARTING)

    def confirm(self) -> None:
        """Show that the app has restarted."""
        self._show(RESTARTED)

    def _show(self, status: str) -> None:
        self.status = status
        self._pubsub.publish(TOPIC)

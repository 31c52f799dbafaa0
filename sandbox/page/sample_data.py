"""Giving the app a past, so that its reports have something to say: the page asks, the app's side does."""

import asyncio

from sandbox.pubsub import PubSub

TOPIC = "fill"


class SampleDataJob:
    """Whether somebody wants three months of surveys, and how far whoever makes them has come."""

    def __init__(self, pubsub: PubSub) -> None:
        self.asked = asyncio.Event()
        """Set once somebody wants it; whoever runs the page waits for it."""
        self.text = ""
        """What the page says about it."""
        self.is_done = False
        self._pubsub = pubsub

    @property
    def is_under_way(self) -> bool:
        """Whether somebody asked, and it is not done."""
        return self.asked.is_set() and not self.is_done

    def ask(self) -> None:
        """Want it; a second time changes nothing."""
        if not self.asked.is_set():
            self.asked.set()
            self.say("Making three months of surveys…")

    def say(self, text: str) -> None:
        """Tell how far it is."""
        self.text = text
        self._pubsub.publish(TOPIC)

    def finish(self, text: str) -> None:
        """Tell that it is done."""
        self.is_done = True
        self.say(text)

    def fail(self, text: str) -> None:
        """Tell why it was not done; it can be asked for again."""
        self.asked.clear()
        self.say(text)

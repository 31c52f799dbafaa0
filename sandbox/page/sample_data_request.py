"""The job that adds sample data to the app: requested on the page, and run by the page's owner."""

import asyncio

from sandbox.pubsub import PubSub

TOPIC = "sample_data"


class SampleDataJob:
    """Request and progress of adding three months of surveys."""

    def __init__(self, pubsub: PubSub) -> None:
        self.requested = asyncio.Event()
        """Set when somebody requests sample data."""
        self.status = ""
        """Text shown on the page."""
        self.is_done = False
        self._pubsub = pubsub

    @property
    def is_running(self) -> bool:
        """True from the request until the job is finished."""
        return self.requested.is_set() and not self.is_done

    def request(self) -> None:
        """Request the job; further requests have no effect."""
        if not self.requested.is_set():
            self.requested.set()
            self.update("Adding three months of surveys…")

    def update(self, status: str) -> None:
        """Show the progress."""
        self.status = status
        self._pubsub.publish(TOPIC)

    def finish(self, status: str) -> None:
        """Show the result."""
        self.is_done = True
        self.update(status)

    def fail(self, status: str) -> None:
        """Show an error; the job can be requested again."""
        self.requested.clear()
        self.update(status)

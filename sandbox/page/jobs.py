"""The jobs that people request on the page, and the page's owner does with the app."""

import asyncio

from sandbox.pubsub import PubSub


class Job:
    """Request and progress of a job.

    Args:
        pubsub: where changes are published.
        topic: the topic of its changes.
        started: the text shown once it is requested.
    """

    def __init__(self, pubsub: PubSub, topic: str, started: str) -> None:
        self.requested = asyncio.Event()
        """Set when somebody requests the job."""
        self.status = ""
        """Text shown on the page."""
        self.is_done = False
        self._pubsub = pubsub
        self._topic = topic
        self._started = started

    @property
    def is_running(self) -> bool:
        """True from the request until the job is finished."""
        return self.requested.is_set() and not self.is_done

    def request(self) -> None:
        """Request the job; has no effect while it runs, or once it is done for good."""
        if not self.requested.is_set():
            self.requested.set()
            self.update(self._started)

    def update(self, status: str) -> None:
        """Show the progress."""
        self.status = status
        self._pubsub.publish(self._topic)

    def finish(self, status: str) -> None:
        """Show the result of a job that is done for good."""
        self.is_done = True
        self.update(status)

    def allow_again(self, status: str) -> None:
        """Show the result, or an error; the job can be requested again."""
        self.requested.clear()
        self.update(status)

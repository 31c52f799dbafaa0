"""The resources that the app opens at start-up, and all its parts share."""

from collections.abc import Callable
from dataclasses import dataclass

from csat.background_tasks import BackgroundTasks
from csat.clock import Clock
from csat.db.database import Database
from csat.db.outbox import Notification
from csat.metrics import Metrics
from csat.settings import Settings
from csat.slack_api.client import SlackClient
from csat.surveys.limits import Limits
from csat.surveys.questions import Catalogue
from csat.transports.protocol import Transports
from csat.x_api.client import XClient

Notify = Callable[[Notification], None]
"""Posts an enqueued notification in the background; without the call, the outbox is polled for it."""


@dataclass(frozen=True)
class Resources:
    """The open connections of one instance, and the values built from its settings."""

    settings: Settings
    clock: Clock
    catalogue: Catalogue
    database: Database
    slack: SlackClient
    x: XClient | None
    """None without an account on X."""
    transports: Transports
    tasks: BackgroundTasks
    metrics: Metrics
    instance: str
    """A name that no other running instance has."""
    account: str
    """The id of the X account that sends surveys on X, or ""."""
    limits: Limits
    recipient_key: Callable[[str], str]
    """Returns the keyed hash of a recipient's id, by which the database knows them."""

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts whose surveys this instance sends: on X, and its workspace once Slack has named it."""
        return frozenset(filter(None, (self.account, self.slack.known_team_id)))

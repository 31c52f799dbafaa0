"""The resources that the app opens at start-up, and all its parts share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from csat.background_tasks import BackgroundTasks
from csat.clock import Clock
from csat.db.database import Database
from csat.db.outbox import Notification
from csat.settings import Settings
from csat.slack_api.client import SlackClient
from csat.surveys.limits import Limits
from csat.surveys.questions import Catalogue
from csat.surveys.survey import Draft
from csat.x_api.client import XClient
from csat.x_api.signing import Credentials

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
    x: XClient
    tasks: BackgroundTasks
    instance: str
    """A name that no other running instance has."""
    account: str
    """The id of the X account that sends the surveys."""
    limits: Limits
    recipient_key: Callable[[str], str]
    """Returns the keyed hash of a recipient's id, by which the database knows them."""


def build_credentials(settings: Settings) -> Credentials:
    """Return the credentials for X."""
    return Credentials(
        api_key=settings.x_api_key,
        api_secret=settings.x_api_secret,
        access_token=settings.x_access_token,
        access_token_secret=settings.x_access_token_secret,
    )


def build_limits(settings: Settings) -> Limits:
    """Return how often a customer may be asked, and how many surveys may be sent."""
    return Limits(
        daily=settings.csat_daily_limit,
        cooldown=timedelta(days=settings.csat_cooldown_days),
        allowlist=frozenset(handle.removeprefix("@").lower() for handle in settings.csat_allowlist),
    )


def build_default_draft(settings: Settings) -> Draft:
    """Return the initial values of the survey form."""
    return Draft(
        display_name=settings.csat_display_name,
        message=settings.csat_message,
        privacy_url=settings.csat_privacy_url,
    )

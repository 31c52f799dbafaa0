"""What the app builds from its settings."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from csat.db.database import Database
from csat.db.recipient_keys import load_secret, make_recipient_key
from csat.settings import Settings, SettingsWithoutXKeys
from csat.surveys.limits import Limits
from csat.surveys.survey import Draft
from csat.surveys.transports import FACTS
from csat.x_api.signing import Credentials


def build_credentials(settings: Settings) -> Credentials:
    """Return the credentials for X."""
    return Credentials(
        api_key=settings.x_api_key,
        api_secret=settings.x_api_secret,
        access_token=settings.x_access_token,
        access_token_secret=settings.x_access_token_secret,
    )


async def load_recipient_key(settings: Settings, database: Database) -> Callable[[str], str]:
    """Return what makes a recipient's id a keyed hash: with the operator's secret, or else the database's."""
    if settings.csat_secret_key:
        secret = settings.csat_secret_key.get_secret_value()
    else:
        secret = await database.run(load_secret, settings.x_api_secret.get_secret_value())
    return partial(make_recipient_key, secret)


def build_limits(settings: SettingsWithoutXKeys) -> Limits:
    """Return how often a customer may be asked, and how many surveys may be sent."""
    return Limits(
        daily={name: getattr(settings, facts.quota_setting.lower()) for name, facts in FACTS.items()},
        cooldown=timedelta(days=settings.csat_cooldown_days),
        allowlist=frozenset(handle.removeprefix("@").lower() for handle in settings.csat_allowlist),
    )


def build_default_draft(settings: Settings) -> Draft:
    """Return the initial values of the survey form."""
    return Draft(
        transport=settings.csat_transports[0],
        display_name=settings.csat_display_name,
        message=settings.csat_message,
        privacy_url=settings.csat_privacy_url,
    )

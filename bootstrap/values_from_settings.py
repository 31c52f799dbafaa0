"""Keys, limits and clients, built from the settings."""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial

from csat.clock import Clock, utc_now
from csat.db.database import Database
from csat.db.recipient_keys import load_secret, make_recipient_key
from csat.outgoing_request_timing import Observe, ignore
from csat.settings import Settings, SettingsWithoutXKeys
from csat.slack_api.web_client import WebClient, build_web_client, open_session
from csat.surveys.limits import Limits
from csat.surveys.survey import Draft
from csat.surveys.transports import FACTS
from csat.x_api.client import XClient, open_http_client
from csat.x_api.signing import Credentials


def build_credentials(settings: Settings) -> Credentials | None:
    """Return the credentials for X, if there are any."""
    api_key, api_secret = settings.x_api_key, settings.x_api_secret
    token, token_secret = settings.x_access_token, settings.x_access_token_secret
    if not (api_key and api_secret and token and token_secret):
        return None
    return Credentials(
        api_key=api_key, api_secret=api_secret, access_token=token, access_token_secret=token_secret
    )


@contextlib.asynccontextmanager
async def open_x(
    settings: Settings, clock: Clock = utc_now, observe: Observe = ignore
) -> AsyncIterator[XClient | None]:
    """Yield the client of X's API until the block ends, or `None` if there are no keys of X."""
    credentials = build_credentials(settings)
    if credentials is None:
        yield None
        return
    async with open_http_client(credentials, settings.x_api_url, settings.timeouts, clock) as http:
        works_unenrolled = any(FACTS[name].works_unenrolled for name in settings.csat_transports)
        yield XClient(http, observe, works_unenrolled=works_unenrolled)


@contextlib.asynccontextmanager
async def open_slack(settings: SettingsWithoutXKeys) -> AsyncIterator[WebClient]:
    """Yield a client of Slack's Web API until the block ends."""
    async with open_session(settings.timeouts) as session:
        yield build_web_client(settings.slack_bot_token, settings.slack_api_url, session, settings.timeouts)


async def load_recipient_key(
    settings: Settings, database: Database, *, may_replace: bool = False
) -> Callable[[str], str]:
    """Return what makes a recipient's id a keyed hash: with the operator's secret, or else the database's.

    `may_replace` is that of `load_secret`. Raises `DatabaseError`.
    """
    former, own = (
        secret.get_secret_value() if secret else None
        for secret in (settings.x_api_secret, settings.csat_secret_key)
    )
    secret = await database.run(load_secret, former, own, may_replace=may_replace)
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

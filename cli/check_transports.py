"""The checks of the transports, and of the rating page that customers must be able to open."""

import asyncio
import errno
import hmac
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus

import aiohttp
import httpx

from bootstrap.values_from_settings import build_limits
from cli.finding import Finding, warning
from csat.db.rating_link_secrets import LIFETIME
from csat.english_dates import format_day
from csat.rating_page.tokens import PROOF_PATH, make_proof
from csat.settings import Settings
from csat.surveys.rating_link_secret import RatingLinkSecret
from csat.surveys.transports import FACTS, MAX_DAILY_MESSAGES
from csat.x_api.size_limited_transport import BoundedTransport

NOTHING_BEHIND = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""Statuses of a proxy while the app does not run."""

PROOF = re.compile("[0-9a-f]{64}")

FORWARD_ADVICE = (
    "Check the host name in CSAT_PUBLIC_URL, its certificate and the firewall, and let your proxy forward "
    "{url}/r/ to port {port} of the app (CSAT_PUBLIC_PORT). See docs/rating_page.md. If only this machine "
    "can't reach it, open {url}/r/check in a browser: it shows 64 letters and digits."
)
OTHER_APP_ADVICE = (
    "Let your proxy forward {url}/r/ to port {port} of this app (CSAT_PUBLIC_PORT). If it does, check that "
    "the app has the same DATABASE_URL as this command, and restart it."
)


class NoPage(Exception):
    """There is no rating page at an address; `str()` says what is there, as a clause."""

    def __init__(self, reason: str, *, is_silent: bool = False) -> None:
        super().__init__(reason)
        self.is_silent = is_silent
        """Whether it could be there once the app runs."""


def describe_transports(settings: Settings) -> Iterator[Finding]:
    """Yield which transports are on, what their surveys cost, and how many can be sent."""
    labels = [f"{name} ({FACTS[name].label})" for name in settings.csat_transports]
    yield Finding(ok=True, message=f"Transports: {', '.join(labels)}")
    daily = build_limits(settings).daily
    for name in settings.csat_transports:
        facts, limit = FACTS[name], daily[name]
        if facts.price:
            yield Finding(ok=True, message=f"{name}: {facts.price}")
        if facts.shares_message_limit:
            yield Finding(
                ok=True,
                message=(
                    f"{name}: up to {limit} surveys in 24 hours ({facts.quota_setting}). X lets an account "
                    f"write {MAX_DAILY_MESSAGES} direct messages a day, which leaves "
                    f"{MAX_DAILY_MESSAGES - limit} for those that your agents write themselves"
                ),
            )
        if not facts.fills_in_display_name and not settings.csat_display_name:
            hint = "CSAT_DISPLAY_NAME is empty, so everybody must enter your brand's name in each form"
            yield warning(f"{name}: {hint}")


async def check_rating_page(settings: Settings, secrets: Sequence[RatingLinkSecret] | None) -> Finding:
    """Return whether customers reach the page of this app.

    Args:
        settings: all of them.
        secrets: those of the links in the database, the newest first; `None` if it can't tell.
    """
    url, place = (
        settings.csat_public_url,
        {"url": settings.csat_public_url, "port": settings.csat_public_port},
    )
    try:
        proof = await _fetch_proof(url, settings.timeouts.page_check)
    except NoPage as problem:
        if problem.is_silent and not await _is_running(settings):
            message = (
                f"not checked, as the app doesn't run here and {url} {problem}. Start it, then check again"
            )
            return warning(f"Rating page: {message}")
        message = f"Rating page: it can't be opened, as {url} {problem}"
        return Finding(ok=False, message=message, advice=FORWARD_ADVICE.format(**place))
    if secrets is None:
        message = (
            f"Rating page: {url} is one, but only the app's database could tell whether it is this app's"
        )
        return warning(message)
    if not (secrets and hmac.compare_digest(proof, make_proof(secrets[0].value))):
        message = f"Rating page: {url} is that of another installation, which doesn't know this one's links"
        return Finding(ok=False, message=message, advice=OTHER_APP_ADVICE.format(**place))
    return Finding(ok=True, message=f"Rating page: customers reach it at {url}{_describe_rotation(secrets)}")


def _describe_rotation(secrets: Sequence[RatingLinkSecret]) -> str:
    """Return since when new links have another secret, and until when the older ones work, or ""."""
    newest, *older = secrets
    if not older:
        return ""
    since, until = map(format_day, (newest.since, newest.since + LIFETIME))
    return f"; its links have a new secret since {since}, and the older ones work until {until} at the latest"


async def _is_running(settings: Settings) -> bool:
    """Return True if an app on this machine serves the page."""
    host = settings.csat_public_host
    try:
        url = f"http://{f'[{host}]' if ':' in host else host}:{settings.csat_public_port}"
        await _fetch_proof(url, settings.timeouts.page_check)
    except NoPage:
        return False
    return True


async def _fetch_proof(base_url: str, seconds: float) -> str:
    """Return what the page at an address shows as the proof of whose it is; raises `NoPage`."""
    async with httpx.AsyncClient(transport=BoundedTransport(), timeout=seconds) as http:
        try:
            async with asyncio.timeout(seconds):
                response = await http.get(f"{base_url}{PROOF_PATH}")
        except (httpx.HTTPError, aiohttp.ClientError, TimeoutError) as error:
            raise _explain(error) from error
    status = response.status_code
    if status != HTTPStatus.OK:
        raise NoPage(f"responds with {status}", is_silent=status in NOTHING_BEHIND)
    if not PROOF.fullmatch(response.text):
        raise NoPage("shows something else")
    return response.text


def _explain(error: Exception) -> NoPage:
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return NoPage("has a host name that is unknown here")
    if isinstance(cause, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return NoPage("doesn't speak https with a valid certificate")
    if isinstance(cause, aiohttp.ClientConnectorError) and cause.os_error.errno == errno.ECONNREFUSED:
        return NoPage("accepts no connection", is_silent=True)
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return NoPage("doesn't respond")
    return NoPage(f"can't be reached ({type(error).__name__})")

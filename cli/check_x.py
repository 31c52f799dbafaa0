"""The checks of X's keys, and of this machine's clock, by which X judges each request."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpx

from bootstrap.values_from_settings import build_credentials
from cli.finding import Finding
from csat.clock import utc_now
from csat.settings import Settings
from csat.surveys.transport_errors import Refused, TransportError
from csat.x_api.client import XClient, open_http_client
from csat.x_api.error_explanations import explain, is_busy
from csat.x_api.errors import AccountRefused
from csat.x_api.refusals import (
    ACCOUNT_REFUSALS,
    OTHER_CAUSES,
    ClockSkew,
    InvalidCredentials,
    RecipientUnknown,
)

TRY_AGAIN = "Check X_API_URL and your network, then try again."
WAIT = "Wait some minutes, then try again. If it stays like this, check X_API_URL."
MAX_CLOCK_DIFFERENCE = timedelta(minutes=3)
"""X refuses a signature that is about five minutes old, and responses take some seconds."""


class XFindings(NamedTuple):
    """X's answers about the keys, and about the time."""

    account: Finding
    clock: Finding | None
    """That this machine's clock is wrong."""


async def check_x(settings: Settings, pause_cause: str) -> XFindings | None:
    """Ask X whose keys these are; return `None` if there are none.

    Args:
        settings: all of them.
        pause_cause: why the account is paused, or "": X may have named then what it doesn't name now.
    """
    credentials = build_credentials(settings)
    if credentials is None:
        return None
    clock: Finding | None = None

    async def compare_clocks(response: httpx.Response) -> None:
        nonlocal clock
        clock = _compare_clocks(response.headers.get("date", ""))

    async with open_http_client(credentials, settings.x_api_url, settings.timeouts) as http:
        http.event_hooks = {"response": [compare_clocks]}
        try:
            account = await XClient(http).get_me()
        except TransportError as error:
            return XFindings(_failed(error, ClockSkew.__name__ if clock else pause_cause), clock)
    return XFindings(Finding(ok=True, message=f"X keys: surveys are sent by @{account.handle}"), clock)


def _failed(error: TransportError, likely_cause: str) -> Finding:
    message, advice = f"X keys: {explain(error)}", f"{AccountRefused.fix} Possible causes: {OTHER_CAUSES}"
    match error:
        case RecipientUnknown():
            message, advice = f"X: it isn't at this address ({error})", "Check X_API_URL."
        case InvalidCredentials() if likely := _find_likely(likely_cause):
            message, advice = f"X keys: {likely.reason} ({error})", likely.fix
        case AccountRefused():
            advice = error.fix
        case Refused():
            pass
        case _:
            message, advice = f"X: {explain(error)}", WAIT if is_busy(error) else TRY_AGAIN
    return Finding(ok=False, message=message, advice=advice)


def _find_likely(cause: str) -> type[AccountRefused] | None:
    """Return what is known to be behind a refusal that X doesn't explain."""
    refusal = ACCOUNT_REFUSALS.get(cause)
    return refusal if refusal and refusal.concerns_all_requests else None


def _compare_clocks(date: str) -> Finding | None:
    """Return that this machine's clock differs from that of X, given the date of a response."""
    now = utc_now()
    try:
        there = parsedate_to_datetime(date)
    except ValueError:
        return None
    there = there.replace(tzinfo=there.tzinfo or UTC)
    if abs(now - there) <= MAX_CLOCK_DIFFERENCE:
        return None
    message = f"Clock: it is {_format(now)} on this machine, and {_format(there)} at X"
    return Finding(ok=False, message=message, advice=ClockSkew.fix)


def _format(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

"""The errors of Slack's APIs, by what to do about them.

SlackError
├── SlackRefused            final for this request: post elsewhere, or tell the user
└── SlackUnavailable        temporary: retry the same request, not before `retry_after` seconds
    └── NoResponse          the outcome is unknown
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

TOKEN_ERRORS = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
"""Errors of the token: every request fails until an operator replaces it."""
INSTALLATION_ERRORS = TOKEN_ERRORS | {"missing_scope"}
"""Errors of the token or its scopes: every request fails until an operator fixes the installation."""
_TEMPORARY_ERRORS = INSTALLATION_ERRORS | frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "accesslimited",
        "team_added_to_org",
        "org_login_required",
        "external_channel_migrating",
        "update_failed",
    }
)
MAX_RETRY_AFTER_SECONDS = 3600.0

_ERROR_CODE = re.compile(r"[\w.-]{1,100}", re.ASCII)
_SCOPES = re.compile(r"[\w:.,-]{1,200}", re.ASCII)
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


class SlackError(Exception):
    """A request to Slack failed; `str()` is Slack's error code."""

    needed_scope: str = ""
    """The scope without which Slack refuses the request, or several of which one is enough, if it says so."""


class SlackRefused(SlackError):
    """Slack refused the request, and would refuse it again."""


class SlackUnavailable(SlackError):
    """Slack can't handle the request at the moment."""

    def __init__(self, code: str, retry_after: float = 0) -> None:
        super().__init__(code)
        self.retry_after = retry_after
        """Seconds that Slack asks to wait."""


class NoResponse(SlackUnavailable):
    """There was no response, or an unreadable one: Slack may have handled the request."""


def is_rejection(error: SlackError) -> bool:
    """Return True if Slack rejects the request or the installation; else it is busy or can't be reached."""
    return not isinstance(error, SlackUnavailable) or str(error) in INSTALLATION_ERRORS


@contextmanager
def as_slack_error() -> Iterator[None]:
    """Raise the errors of the Slack SDK and aiohttp, of timeouts and of reading as a `SlackError`."""
    try:
        yield
    except SlackApiError as error:
        response = error.response
        failure = error_from_response(response.status_code, response.headers, response.data.get("error"))
        needed = response.data.get("needed")
        failure.needed_scope = needed if isinstance(needed, str) and _SCOPES.fullmatch(needed) else ""
        raise failure from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise SlackUnavailable(type(error).__name__) from error
    except (SlackClientError, aiohttp.ClientError, TimeoutError, UnicodeDecodeError, RecursionError) as error:
        raise NoResponse(type(error).__name__) from error


def error_from_response(status: int, headers: Mapping[str, str], code: object) -> SlackError:
    """Return the error that an unsuccessful response means.

    Args:
        status: the HTTP status.
        headers: the response's headers.
        code: Slack's error code; a response with anything else in its place is unreadable.
    """
    readable = code if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else None
    if status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR or readable in _TEMPORARY_ERRORS:
        return SlackUnavailable(readable or f"HTTP {status}", _retry_after(headers))
    return SlackRefused(readable) if readable else NoResponse(f"HTTP {status}, unreadable")


def _retry_after(headers: Mapping[str, str]) -> float:
    seconds = next((value for name, value in headers.items() if name.lower() == "retry-after"), "0")
    return min(float(seconds), MAX_RETRY_AFTER_SECONDS) if seconds.isdecimal() else 0

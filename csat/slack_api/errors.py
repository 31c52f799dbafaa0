"""The errors of Slack's APIs, by what to do about them.

SlackError
├── SlackRefused            final for this request: post elsewhere, or tell the user
└── SlackUnavailable        temporary: retry the same request, not before `retry_after` seconds
    └── NoResponse          the outcome is unknown
"""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

INSTALLATION_ERRORS = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"}
)
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
    }
)
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


class SlackError(Exception):
    """A request to Slack failed; `str()` is Slack's error code."""


class SlackRefused(SlackError):
    """Slack refused the request, and would refuse it again."""


class SlackUnavailable(SlackError):
    """Slack can't handle the request at the moment."""

    def __init__(self, code: str, retry_after: float = 0) -> None:
        super().__init__(code)
        self.retry_after = retry_after
        """Seconds that Slack asks to wait."""


class NoResponse(SlackUnavailable):
    """The connection failed or timed out: Slack may have handled the request."""


@contextmanager
def as_slack_error() -> Iterator[None]:
    """Raise the errors of the Slack SDK, of aiohttp and of timeouts as a `SlackError`."""
    try:
        yield
    except SlackApiError as error:
        response = error.response
        code = response.data.get("error") if isinstance(response.data, dict) else "no JSON"
        raise error_from_response(response.status_code, response.headers, str(code)) from error
    except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
        raise NoResponse(type(error).__name__) from error


def error_from_response(status: int, headers: dict[str, str], code: str) -> SlackError:
    """Return the error that an unsuccessful response means."""
    if status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR or code in _TEMPORARY_ERRORS:
        seconds = next((value for name, value in headers.items() if name.lower() == "retry-after"), "0")
        return SlackUnavailable(code, float(seconds) if seconds.isdecimal() else 0)
    return SlackRefused(code)

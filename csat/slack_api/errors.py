"""What Slack refuses, by what to do about it.

SlackError
├── Unreachable    this message can't go to this place: try the next one
└── Busy           Slack takes nothing now: try the same again, not before `seconds` have passed
    └── Silent     Slack gave no answer: nobody knows whether it did what it was asked
"""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

BROKEN = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"}
)
"""Reasons that are about the app, whatever the place: they last until somebody mends the app."""
_BUSY = BROKEN | frozenset(
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
_SERVER_ERRORS = 500


class SlackError(Exception):
    """Slack did not do what it was asked; `str()` is Slack's name for the reason."""


class Unreachable(SlackError):
    """Slack refuses this message in this place."""


class Busy(SlackError):
    """Slack can't take anything at the moment."""

    def __init__(self, reason: str, seconds: float = 0) -> None:
        super().__init__(reason)
        self.seconds = seconds
        """How long Slack asks to be left alone."""


class Silent(Busy):
    """Slack did not answer, or not in time."""


@contextmanager
def as_slack_error() -> Iterator[None]:
    """Turn whatever the Slack SDK raises into a `SlackError`."""
    try:
        yield
    except SlackApiError as error:
        answer = error.response
        reason = answer.data.get("error") if isinstance(answer.data, dict) else "no JSON"
        raise of_answer(answer.status_code, answer.headers, str(reason)) from error
    except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
        raise Silent(type(error).__name__) from error


def of_answer(status: int, headers: dict[str, str], reason: str) -> SlackError:
    """Return what an answer of Slack means that is no success."""
    if status == _TOO_MANY_REQUESTS or status >= _SERVER_ERRORS or reason in _BUSY:
        wait = next((value for name, value in headers.items() if name.lower() == "retry-after"), "0")
        return Busy(reason, float(wait) if wait.isdecimal() else 0)
    return Unreachable(reason)

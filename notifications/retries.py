"""When a message that Slack did not take is posted again."""

from datetime import datetime, timedelta

from csat.backoff import backoff
from csat.slack_api.errors import NoResponse, SlackError, SlackUnavailable

MAX_TRIES = 12
"""About an hour and a half; by then the message helps nobody any more."""

NO_RESPONSE_WAIT = timedelta(minutes=5)
"""Slack may have taken a message without a response: each further post may be a duplicate."""


def find_retry_time(error: SlackError, attempts: int, now: datetime) -> datetime | None:
    """Return when to try again after an error, `None` if it is final or there were enough attempts."""
    if not isinstance(error, SlackUnavailable) or attempts >= MAX_TRIES:
        return None
    shortest = NO_RESPONSE_WAIT if isinstance(error, NoResponse) else timedelta(seconds=error.retry_after)
    return now + max(backoff(attempts), shortest)

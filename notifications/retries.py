"""When a message that Slack did not take is posted again."""

from datetime import datetime, timedelta

from csat.backoff import backoff
from csat.slack_api.errors import SlackError, SlackUnavailable

MAX_TRIES = 12
"""About an hour and a half; by then the message helps nobody any more."""


def find_retry_time(error: SlackError, attempts: int, now: datetime) -> datetime | None:
    """Return when to try again after an error, `None` if it is final or there were enough attempts."""
    if not isinstance(error, SlackUnavailable) or attempts >= MAX_TRIES:
        return None
    return now + max(backoff(attempts), timedelta(seconds=error.retry_after))

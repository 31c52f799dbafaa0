"""When a message that Slack did not take is posted again."""

from datetime import datetime, timedelta

from csat.backoff import backoff
from csat.slack_api.errors import NoResponse, SlackError, SlackUnavailable

NO_RESPONSE_WAIT = timedelta(minutes=5)
"""Slack may have taken a message without a response: each further post may be a duplicate."""

MANY_TRIES = 12
"""About an hour and a half."""

NO_RESPONSE_WAIT_AFTER_MANY = timedelta(hours=1)
"""The responses may be lost for days: then that many duplicates are enough."""


def find_retry_time(error: SlackError, attempts: int, now: datetime) -> datetime | None:
    """Return when to try again after an error, `None` if it is final: Slack refuses this message."""
    if not isinstance(error, SlackUnavailable):
        return None
    shortest = timedelta(seconds=error.retry_after)
    if isinstance(error, NoResponse):
        shortest = NO_RESPONSE_WAIT if attempts < MANY_TRIES else NO_RESPONSE_WAIT_AFTER_MANY
    return now + max(backoff(attempts), shortest)

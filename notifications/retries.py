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


REFUSAL_WAIT = timedelta(minutes=30)
MAX_REFUSALS = 7 * 48
"""For about a week, so that a channel's repair is not followed by alerts of a month."""


def find_retry_time(
    error: SlackError, attempts: int, now: datetime, *, is_repairable: bool = False
) -> datetime | None:
    """Return when to try again after an error, `None` if it is final: Slack refuses this message.

    Where operators can repair what Slack refuses, it is tried for about a week.
    """
    if not isinstance(error, SlackUnavailable):
        return now + REFUSAL_WAIT if is_repairable and attempts < MAX_REFUSALS else None
    shortest = timedelta(seconds=error.retry_after)
    if isinstance(error, NoResponse):
        shortest = NO_RESPONSE_WAIT if attempts < MANY_TRIES else NO_RESPONSE_WAIT_AFTER_MANY
    return now + max(backoff(attempts), shortest)

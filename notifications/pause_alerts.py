"""Direct messages to the operators: X refuses the account, and what to do about it."""

import logging

from blocks.pause_alerts import alert as build_message
from csat.db import pause_alerts
from csat.db.pause_alerts import PauseAlert
from csat.shared_resources import Resources
from csat.slack_api.errors import SlackError
from csat.x_api.errors import AccountRefused
from csat.x_api.refusals import ACCOUNT_REFUSALS
from notifications.retries import find_retry_time

log = logging.getLogger(__name__)


class PauseAlerts:
    """Posts alerts, each by itself: an operator who can't be told keeps no other waiting."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._poster = resources.slack.poster
        self._clock = resources.clock
        self._account = resources.account
        self._operators = resources.settings.csat_operators

    async def claim(self) -> list[PauseAlert]:
        """Claim the alerts that are due; raises `DatabaseError`."""
        return await self._database.run(
            pause_alerts.claim, self._account, sorted(self._operators), self._clock()
        )

    async def deliver(self, alert: PauseAlert) -> None:
        """Post an alert, put it back for later, or give it up; raises `DatabaseError`."""
        refusal = ACCOUNT_REFUSALS.get(alert.cause, AccountRefused)
        message = build_message(alert.account, refusal.reason, refusal.fix)
        try:
            await self._poster.post_dm(alert.operator, *message)
        except SlackError as error:
            retry_at = find_retry_time(error, alert.attempts, self._clock())
            level = logging.DEBUG if alert.attempts and retry_at else logging.WARNING
            log.log(level, "Operator %s was not told (%s), retry: %s", alert.operator, error, retry_at)
            if retry_at:
                await self._database.run_with_retry(pause_alerts.reschedule, alert, retry_at)
                return
        await self._database.run_until_committed(pause_alerts.remove, alert)

"""Direct messages to the operators: X refuses the account, and what to do about it; later, that it's over."""

import logging

from blocks.pause_alerts import alert as build_message
from blocks.pause_alerts import outage_over
from csat.db import pause_alerts
from csat.db.account_pauses import Recovery
from csat.db.pause_alerts import PauseAlert
from csat.shared_resources import Resources
from csat.slack_api.errors import SlackError
from csat.slack_api.posting import Posted
from csat.x_api.errors import AccountRefused
from csat.x_api.refusals import ACCOUNT_REFUSALS, PARTIAL_REFUSALS
from notifications.retries import find_retry_time

log = logging.getLogger(__name__)


class PauseAlerts:
    """Posts and updates alerts, each by itself: an operator who can't be told keeps no other waiting."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._poster = resources.slack.poster
        self._clock = resources.clock
        self._account = resources.account
        self._operators = resources.settings.csat_operators

    async def claim(self) -> list[PauseAlert]:
        """Claim the alerts that are due; raises `DatabaseError`."""
        return await self._database.run(
            pause_alerts.claim, self._account, sorted(self._operators), PARTIAL_REFUSALS, self._clock()
        )

    async def deliver(self, alert: PauseAlert) -> None:
        """Post or update an alert, put it back for later, or give it up; raises `DatabaseError`."""
        refusal = ACCOUNT_REFUSALS.get(alert.cause, AccountRefused)
        try:
            if alert.recovery:
                await self._update(alert, refusal, alert.recovery)
            else:
                await self._post(alert, refusal)
        except SlackError as error:
            await self._postpone(alert, error)

    async def _post(self, alert: PauseAlert, refusal: type[AccountRefused]) -> None:
        message = build_message(alert.account, refusal.reason, refusal.fix)
        posted = await self._poster.post_dm(alert.operator, *message)
        await self._database.run_until_committed(pause_alerts.mark_posted, alert, *posted, self._clock())

    async def _update(self, alert: PauseAlert, refusal: type[AccountRefused], recovery: Recovery) -> None:
        message = outage_over(refusal.reason, recovery.since, is_certain=recovery.is_certain)
        await self._poster.update_message(Posted(alert.channel, alert.ts), *message)
        await self._database.run_until_committed(pause_alerts.remove, alert)

    async def _postpone(self, alert: PauseAlert, error: SlackError) -> None:
        retry_at = find_retry_time(error, alert.attempts, self._clock())
        is_minor = alert.recovery or (alert.attempts and retry_at)
        level = logging.DEBUG if is_minor else logging.WARNING
        log.log(level, "Operator %s was not told (%s), retry: %s", alert.operator, error, retry_at)
        if retry_at:
            await self._database.run_with_retry(pause_alerts.reschedule, alert, retry_at)
        else:
            await self._database.run_until_committed(pause_alerts.remove, alert)

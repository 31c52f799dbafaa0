"""Settles uncertain surveys from X's own events, which list an attempt a day later."""

import logging
from datetime import timedelta

from csat.clock import Clock
from csat.db.database import Database
from csat.db.reconciliation import UncertainAttempt, give_up_reconciling
from csat.db.send_queue import RECONCILE_AFTER
from csat.db.survey_records import Refusal
from csat.delivery.sender import SurveySender
from csat.surveys.survey import Receipt
from csat.x_api.client import XClient
from csat.x_api.errors import XError

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far X's time of an attempt may be from ours."""

GIVE_UP_AFTER = timedelta(days=3)
"""How long X is asked again; after that only the requester can settle the survey."""

NEVER_ARRIVED = Refusal(
    reason="NeverArrived",
    advice="X has no record of this survey, so it did not arrive. You can send it again.",
    editable=True,
)

log = logging.getLogger(__name__)


class Reconciler:
    """Matches uncertain surveys with X's events, by account, recipient, external id and time."""

    def __init__(self, database: Database, x: XClient, sender: SurveySender, clock: Clock) -> None:
        self._database = database
        self._x = x
        self._sender = sender
        self._clock = clock

    async def reconcile(self, attempt: UncertainAttempt) -> None:
        """Settle one attempt as sent or refused; leave it uncertain while X does not list its events."""
        begin, end = attempt.started_at - CLOCK_TOLERANCE, attempt.started_at + CLOCK_TOLERANCE
        try:
            pages = [page async for page in self._x.list_events(begin, end)]
        except XError as error:
            await self._postpone(attempt, error)
            return
        receipts = (update.receipt for page in pages for update in page.updates)
        if receipt := next((receipt for receipt in receipts if _matches(attempt, receipt)), None):
            await self._sender.mark_sent(attempt.survey, attempt.number, receipt)
        else:
            await self._sender.refuse(attempt.survey, attempt.number, NEVER_ARRIVED, "not among X's events")

    async def _postpone(self, attempt: UncertainAttempt, error: XError) -> None:
        survey_id = attempt.survey.id
        if self._clock() < attempt.started_at + RECONCILE_AFTER + GIVE_UP_AFTER:
            log.warning("Survey %s is still uncertain: %s", survey_id, error)
        elif await self._database.run_with_retry(give_up_reconciling, survey_id):
            log.warning("Survey %s stays uncertain, X listed no events for days: %s", survey_id, error)


def _matches(attempt: UncertainAttempt, receipt: Receipt) -> bool:
    survey = attempt.survey.survey
    return (receipt.to_user_id, receipt.external_id) == (survey.recipient.id, survey.external_id)

"""Settles uncertain surveys from X's own events, which list an attempt a day later."""

import logging
from datetime import timedelta

from csat.clock import Clock
from csat.db import responses
from csat.db.database import Database
from csat.db.reconciliation import UncertainAttempt, give_up_reconciling
from csat.db.responses import MATCH_TOLERANCE
from csat.db.send_queue import RECONCILE_AFTER
from csat.db.survey_records import Refusal, SurveyRecord, get_survey
from csat.delivery.circuit_breaker import CircuitBreaker
from csat.delivery.sender import SurveySender
from csat.surveys.responses import Update
from csat.surveys.states import State
from csat.x_api.client import XClient
from csat.x_api.errors import XError

GIVE_UP_AFTER = timedelta(days=3)
"""How long X is asked again; after that only the requester can settle the survey."""

NEVER_ARRIVED = Refusal(
    reason="NeverArrived",
    advice="X has no record of this survey, so it did not arrive. You can send it again.",
    editable=True,
)

log = logging.getLogger(__name__)


class Reconciler:
    """Settles uncertain surveys: sent if X's events list one that no other survey matches, else refused."""

    def __init__(
        self, database: Database, x: XClient, sender: SurveySender, breaker: CircuitBreaker, clock: Clock
    ) -> None:
        self._database = database
        self._x = x
        self._sender = sender
        self._breaker = breaker
        self._clock = clock

    async def reconcile(self, attempt: UncertainAttempt) -> None:
        """Settle one attempt as sent or refused; leave it uncertain while X does not list its events."""
        begin, end = attempt.started_at - MATCH_TOLERANCE, attempt.started_at + MATCH_TOLERANCE
        try:
            pages = [page async for page in self._x.list_events(begin, end)]
        except XError as error:
            await self._breaker.pause_if_refused(error)
            await self._postpone(attempt, error)
            return
        candidates = [
            update for page in pages for update in page.updates if _can_match(attempt.survey, update)
        ]
        for update in candidates:
            await self._database.run_with_retry(
                responses.apply_update, update, attempt.recipient_key, self._clock()
            )
        survey = await self._database.read(get_survey, attempt.survey.id)
        if survey and survey.state is State.UNCERTAIN:
            await self._sender.refuse(survey, attempt.number, NEVER_ARRIVED, "not among X's events")

    async def _postpone(self, attempt: UncertainAttempt, error: XError) -> None:
        survey_id = attempt.survey.id
        if self._clock() < attempt.started_at + RECONCILE_AFTER + GIVE_UP_AFTER:
            log.warning("Survey %s is still uncertain: %s", survey_id, error)
        elif await self._database.run_with_retry(give_up_reconciling, survey_id):
            log.warning("Survey %s stays uncertain, X listed no events for days: %s", survey_id, error)


def _can_match(record: SurveyRecord, update: Update) -> bool:
    """Return True if an update can be about a survey; which of several it is about, the database knows."""
    survey, receipt = record.survey, update.receipt
    return (update.account, receipt.to_user_id, receipt.external_id, update.metric) == (
        record.account,
        survey.recipient.id,
        survey.external_id,
        survey.metric,
    )

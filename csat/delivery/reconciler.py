"""Settles uncertain surveys, once their transport can tell whether they were delivered."""

import logging
from datetime import timedelta

from csat.db import incoming_updates
from csat.db.reconciliation import UncertainAttempt, give_up_reconciling
from csat.db.sent_again import earlier_may_have_arrived
from csat.db.survey_records import Refusal, get_survey
from csat.delivery.circuit_breaker import CircuitBreaker
from csat.delivery.sender import SurveySender
from csat.shared_resources import Resources
from csat.surveys.states import State
from csat.surveys.transport_errors import TransportError
from csat.surveys.transports import FACTS

GIVE_UP_AFTER = timedelta(days=3)
"""How long X is asked again; after that only the requester can settle the survey."""

NEVER_ARRIVED = "{network} has no record of this survey, so it did not arrive. You can send it again."
LAST_NEVER_ARRIVED = (
    "{network} has no record of the last one. Check whether an earlier one arrived before you try again."
)

log = logging.getLogger(__name__)


class Reconciler:
    """Settles uncertain surveys: sent if the transport finds one that no other survey matches, else refused.

    Where a transport may miss what was delivered, a survey that it does not find stays uncertain.
    """

    def __init__(self, resources: Resources, sender: SurveySender, breaker: CircuitBreaker) -> None:
        self._database = resources.database
        self._transports = resources.transports
        self._clock = resources.clock
        self._sender = sender
        self._breaker = breaker

    async def reconcile(self, attempt: UncertainAttempt) -> None:
        """Settle one attempt as sent or refused; leave it uncertain while X does not tell."""
        name = attempt.survey.survey.transport
        transport = self._transports.get(name)
        if transport is None:  # switched off: its requester settles it
            await self._give_up(attempt.survey.id)
            return
        try:
            delivered = await transport.find_delivered(attempt)
        except TransportError as error:
            await self._breaker.pause_if_refused(error)
            await self._postpone(attempt, error)
            return
        if delivered is None:
            await self._give_up(attempt.survey.id)
            return
        for update in delivered:
            await self._database.run_with_retry(
                incoming_updates.apply_update, update, attempt.recipient_key, self._clock()
            )
        survey = await self._database.read(get_survey, attempt.survey.id)
        if survey is None or survey.state is not State.UNCERTAIN:
            log.info("Survey %s is settled: %s", attempt.survey.id, survey.state if survey else "erased")
            return
        if FACTS[name].absence_is_proof:
            is_first = not await self._database.read(earlier_may_have_arrived, survey.id)
            advice = (NEVER_ARRIVED if is_first else LAST_NEVER_ARRIVED).format(
                network=FACTS[name].network.label
            )
            refusal = Refusal(reason="NeverArrived", advice=advice, editable=True)
            await self._sender.refuse(survey, attempt.number, refusal, "there is no record of it")
        else:
            await self._give_up(survey.id)

    async def _postpone(self, attempt: UncertainAttempt, error: TransportError) -> None:
        survey_id = attempt.survey.id
        settles_after = FACTS[attempt.survey.survey.transport].settles_after
        if self._clock() < attempt.started_at + settles_after + GIVE_UP_AFTER:
            log.warning("Survey %s is still uncertain: %s", survey_id, error)
        elif await self._give_up(survey_id):
            log.warning("Survey %s stays uncertain, X has told nothing for days: %s", survey_id, error)

    async def _give_up(self, survey_id: int) -> bool:
        return await self._database.run_with_retry(give_up_reconciling, survey_id, self._clock())

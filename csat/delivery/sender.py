"""Sends one survey to X and writes its outcome down.

An instance may freeze anywhere (a stopped process, a suspended machine), and others then declare its attempts
uncertain. So the clock is read right before the call: an attempt that is too old by then does not leave. That
leaves the way from that look to the first byte on the socket, usually a millisecond: an instance that
freezes right there sends when it wakes up. A late receipt then turns the survey `sent`; but if it was settled
or sent again by then, the recipient may get it twice.
"""

import logging
from datetime import datetime, timedelta

from csat.backoff import backoff
from csat.db import account_pauses, attempt_outcomes, send_queue
from csat.db.outbox import Notification
from csat.db.survey_records import Refusal, SurveyRecord, Wait, get_survey
from csat.delivery.circuit_breaker import CircuitBreaker
from csat.shared_resources import Notify, Resources
from csat.surveys.limits import Denial, DenialReason, Denied
from csat.surveys.states import State
from csat.surveys.transport_errors import Refused, RetryLater, Uncertain
from csat.surveys.transports import FACTS
from csat.x_api.errors import AccountRefused
from csat.x_api.refusals import IF_REPEATED

MAX_AGE = timedelta(hours=24)
"""A survey that X has not taken by then is refused."""

MAX_START_DELAY = send_queue.ATTEMPT_LEASE / 2
"""How long after its start an attempt may leave: the call and writing its outcome need the rest."""

log = logging.getLogger(__name__)


class SurveySender:
    """Sends surveys that this instance has claimed, one call at a time."""

    def __init__(self, resources: Resources, breaker: CircuitBreaker, notify: Notify) -> None:
        self._resources = resources
        self._database = resources.database
        self._instance = resources.instance
        self._clock = resources.clock
        self._breaker = breaker
        self._notify = notify
        self._stopping = False

    def stop(self) -> None:
        """Start no more attempts."""
        self._stopping = True

    async def send(self, survey: SurveyRecord) -> bool:
        """Attempt delivery of a claimed survey; return True if it must be retried."""
        try:
            resolved = await self._resolve(survey)
            if self._stopping:
                await self._database.run_with_retry(send_queue.release, survey, self._instance)
                return False
            started_at = self._clock()
            number = await self._begin_attempt(resolved, started_at) if resolved else None
        except (Refused, RetryLater) as error:
            return await self._not_sent(survey, None, error)
        except Denied as denied:
            await self.refuse(survey, None, Refusal.from_denial(denied.denial), denied.denial.reason)
            return False
        if resolved is None or number is None:  # the claim was lost, or its account is paused
            await self._database.run(send_queue.release, survey, self._instance)
            return await self._is_waiting(survey.id)
        if self._clock() > started_at + MAX_START_DELAY:
            return await self._put_back(resolved, number)
        return await self._attempt(resolved, number)

    async def refuse(self, survey: SurveyRecord, number: int | None, refusal: Refusal, detail: str) -> None:
        """Refuse a survey, and have its requester told; `number` is `None` for a claim without an attempt."""
        now = self._clock()
        if number is None:
            refused = self._database.run_with_retry(
                send_queue.refuse_claimed, survey, self._instance, refusal, now
            )
        else:
            refused = self._database.run_until_committed(
                attempt_outcomes.refuse, survey.id, number, refusal, detail, now
            )
        self._announce(await refused)

    async def _resolve(self, survey: SurveyRecord) -> SurveyRecord | None:
        """Look up the recipient's id, unless it is known; return `None` if the claim was lost.

        Raises a `TransportError` or `Denied`.
        """
        transport = self._resources.transports.get(survey.survey.transport)
        if transport is None:
            raise Denied(Denial(reason=DenialReason.TRANSPORT_OFF))
        if survey.survey.recipient.id:
            return survey
        if not await self._database.run(send_queue.renew_claim, survey, self._instance, self._clock()):
            return None
        recipient = await transport.look_up(survey.survey.recipient)
        key, limits = self._resources.recipient_key(str(recipient.id)), self._resources.limits
        return await self._database.run(
            send_queue.store_recipient, survey, self._instance, recipient, key, limits, self._clock()
        )

    async def _begin_attempt(self, survey: SurveyRecord, now: datetime) -> int | None:
        return await self._database.run(send_queue.begin_attempt, survey, self._instance, now)

    async def _is_waiting(self, survey_id: int) -> bool:
        survey = await self._database.read(get_survey, survey_id)
        return survey is not None and survey.state is State.ACCEPTED

    async def _put_back(self, survey: SurveyRecord, number: int) -> bool:
        """Put a survey back whose attempt did not leave in time; others may have declared it uncertain."""
        log.warning("Survey %s was not sent: this instance was frozen", survey.id)
        wait = Wait(reason="Frozen", until=self._clock())
        return await self._reschedule(survey, number, wait, "it did not leave in time")

    async def _attempt(self, survey: SurveyRecord, number: int) -> bool:
        try:
            receipt = await self._resources.transports[survey.survey.transport].send(survey)
        except Refused as error:
            return await self._not_sent(survey, number, await self._find_cause(survey, error))
        except RetryLater as error:
            return await self._not_sent(survey, number, error)
        except Uncertain as error:
            log.warning("Survey %s is uncertain: %s", survey.id, error)
            await self._mark_uncertain(survey, number, error)
            return False
        log.info("Survey %s was sent as %s", survey.id, FACTS[receipt.transport].noun)
        self._announce(
            await self._database.run_until_committed(
                attempt_outcomes.mark_sent, survey.id, number, receipt, self._clock()
            )
        )
        return False

    async def _find_cause(self, survey: SurveyRecord, error: Refused) -> Refused:
        """Return what a refusal means: a trouble of the account if other customers' surveys have it too."""
        kind = IF_REPEATED.get(type(error))
        if kind is None:
            return error
        reasons = (type(error).__name__, kind.__name__)
        is_repeated = await self._database.run_until_committed(
            account_pauses.is_repeated, survey, reasons, self._clock()
        )
        return kind(str(error), api_message=error.api_message, raw=error.raw) if is_repeated else error

    async def _mark_uncertain(self, survey: SurveyRecord, number: int, error: Uncertain) -> None:
        transport = survey.survey.transport
        attempt = (survey.id, number, transport, error.detail, self._clock())
        advice = f"{error.advice} {FACTS[transport].hint_if_uncertain}"
        self._announce(
            await self._database.run_until_committed(attempt_outcomes.mark_uncertain, *attempt, advice)
        )

    async def _not_sent(self, survey: SurveyRecord, number: int | None, error: Refused | RetryLater) -> bool:
        now, last_try = self._clock(), survey.accepted_at + MAX_AGE
        can_wait = error.is_retryable and now < last_try
        not_sent = "not sent yet" if can_wait else "not sent"
        if isinstance(error, AccountRefused):
            log.info("Survey %s was %s: X accepts none of its account", survey.id, not_sent)
            await self._breaker.pause(error)
        elif isinstance(error, Refused) and error.fix:
            log.warning("Survey %s was %s: %s. %s", survey.id, not_sent, error, error.fix)
        else:
            log.info("Survey %s was %s: %s", survey.id, not_sent, error)
        if can_wait:
            wait = Wait(reason=type(error).__name__, until=min(_next_try(survey, error, now), last_try))
            if await self._reschedule(survey, number, wait, error.detail):
                return True
        await self.refuse(survey, number, _refusal_of_error(error), error.detail)
        return False

    async def _reschedule(self, survey: SurveyRecord, number: int | None, wait: Wait, detail: str) -> bool:
        if number is None:
            return await self._database.run_with_retry(
                send_queue.reschedule_claimed, survey, self._instance, wait
            )
        return await self._database.run_until_committed(
            attempt_outcomes.reschedule, survey.id, number, wait, detail, self._clock()
        )

    def _announce(self, notification: Notification | None) -> None:
        if notification:
            self._notify(notification)


def _next_try(survey: SurveyRecord, error: Refused | RetryLater, now: datetime) -> datetime:
    if isinstance(error, Refused):
        return now  # as soon as the account is resumed
    return max(error.until or now, now + backoff(survey.attempts))


def _refusal_of_error(error: Refused | RetryLater) -> Refusal:
    if isinstance(error, RetryLater):
        return Refusal(reason="RetryLater", advice=error.advice, editable=True)
    return Refusal(reason=type(error).__name__, advice=error.sentence(), editable=error.editable)

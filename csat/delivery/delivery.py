"""One survey on its way to X: as far as it goes now, and what became of it written down.

An instance may stand still anywhere (a stopped process, a machine put to sleep), and others then declare its
attempts uncertain. So the clock is looked at right before the call: what has waited since its attempt began
does not leave. There remains the way from that look to the first byte on the socket, as a rule a millisecond:
whoever stands still right there sends when they come back. A late receipt then turns the survey `sent`; but
where it was settled or sent again by then, the customer may have it twice.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from csat.clock import Clock
from csat.db import send_queue
from csat.db.database import Database
from csat.db.outbox import Notification, NotificationKind
from csat.db.survey_records import Refusal, SurveyRecord, get_survey
from csat.delivery.circuit_breaker import CircuitBreaker
from csat.delivery.later import backoff
from csat.surveys.limits import Denial, Denied, Limits
from csat.surveys.states import State
from csat.surveys.survey import Receipt
from csat.x_api.client import XClient
from csat.x_api.errors import Refused, RetryLater, Uncertain
from notifications.notifier import Notifier

LONGEST_WAIT = timedelta(hours=24)
"""After this, a survey that X never took is refused."""

LEAVES_WITHIN = send_queue.ATTEMPT / 2
"""Of the time that an attempt has, the call to X and writing its outcome take the rest."""

log = logging.getLogger(__name__)


class Delivery:
    """Sends surveys, one at a time.

    Args:
        instance: a name that no other running instance has.
        key: makes the key by which the ledger knows a customer from their id.
    """

    def __init__(
        self,
        database: Database,
        x: XClient,
        announcer: Notifier,
        pausing: CircuitBreaker,
        clock: Clock,
        instance: str,
        limits: Limits,
        key: Callable[[str], str],
    ) -> None:
        self._database = database
        self._x = x
        self._announcer = announcer
        self._pausing = pausing
        self._clock = clock
        self._instance = instance
        self._limits = limits
        self._key = key
        self._stopping = False

    def stop(self) -> None:
        """Let nothing leave for X any more."""
        self._stopping = True

    async def send(self, entry: SurveyRecord) -> bool:
        """Send a survey that this instance has claimed as far as it goes now; whether it still waits."""
        try:
            entry = await self._resolved(entry)
        except (Refused, RetryLater) as error:
            return await self._not_sent(entry, None, error)
        except Denied as denied:
            await self.refuse(entry, None, _denial(denied.denial), denied.denial.reason)
            return False
        if self._stopping:
            await self._database.run_with_retry(send_queue.release, entry.id, self._instance)
            return False
        begun = self._clock()
        number = await self._database.run(send_queue.begin_attempt, entry, self._instance, begun)
        if number is None:
            return await self._still_waits(entry)
        if self._clock() > begun + LEAVES_WITHIN:
            return await self._put_back(entry, number)
        return await self._attempt(entry, number)

    async def arrived(self, entry: SurveyRecord, number: int, receipt: Receipt) -> None:
        """Note X's receipt, and have the survey confirmed."""
        log.info("Survey %s was sent as feedback %s", entry.id, receipt.id)
        if await self._database.run_with_retry(
            send_queue.mark_sent, entry.id, number, receipt, self._clock()
        ):
            sent = entry.model_copy(update={"state": State.SENT, "feedback_id": receipt.id})
            self._announcer.announce(
                Notification(survey_id=entry.id, kind=NotificationKind.SENT, attempts=0), sent
            )

    async def refuse(self, entry: SurveyRecord, number: int | None, refusal: Refusal, detail: str) -> None:
        """Note that a survey will not be sent, and have its requester told."""
        if await self._database.run_with_retry(
            send_queue.refuse, entry.id, number, refusal, detail, self._clock()
        ):
            self._tell(entry.id, NotificationKind.REFUSED)

    async def _resolved(self, entry: SurveyRecord) -> SurveyRecord:
        if entry.survey.recipient.id:
            return entry
        account = await self._x.look_up(entry.survey.recipient)
        key = self._key(account.id)
        return await self._database.run(
            send_queue.resolve, entry, account.recipient, key, self._limits, self._clock()
        )

    async def _still_waits(self, entry: SurveyRecord) -> bool:
        now = await self._database.read(get_survey, entry.id)
        return now is not None and now.state is State.ACCEPTED

    async def _put_back(self, entry: SurveyRecord, number: int) -> bool:
        """Let a survey wait again that did not leave; what others have declared uncertain stays so."""
        log.warning("Survey %s did not leave: this instance stood still", entry.id)
        now = self._clock()
        return await self._database.run_with_retry(
            send_queue.reschedule, entry.id, number, now, "it did not leave in time", now
        )

    async def _attempt(self, entry: SurveyRecord, number: int) -> bool:
        try:
            receipt = await self._x.create(entry.survey)
        except (Refused, RetryLater) as error:
            return await self._not_sent(entry, number, error)
        except Uncertain as error:
            log.warning("Survey %s is uncertain: %s", entry.id, error)
            if await self._database.run_with_retry(
                send_queue.mark_uncertain, entry.id, number, error.detail, self._clock()
            ):
                self._tell(entry.id, NotificationKind.UNCERTAIN)
            return False
        await self.arrived(entry, number, receipt)
        return False

    async def _not_sent(self, entry: SurveyRecord, number: int | None, error: Refused | RetryLater) -> bool:
        now = self._clock()
        log.info("Survey %s was not sent: %s", entry.id, error)
        if isinstance(error, Refused) and error.pauses:
            await self._pausing.pause(entry.account, error)
        last_try = entry.accepted_at + LONGEST_WAIT
        if error.waits and now < last_try:
            until = min(_next_try(entry, error, now), last_try)
            if await self._database.run_with_retry(
                send_queue.reschedule, entry.id, number, until, error.detail, now
            ):
                return True
        await self.refuse(entry, number, _refusal(error), error.detail)
        return False

    def _tell(self, survey_id: int, kind: NotificationKind) -> None:
        self._announcer.announce(Notification(survey_id=survey_id, kind=kind, attempts=0))


def _next_try(entry: SurveyRecord, error: Refused | RetryLater, now: datetime) -> datetime:
    if isinstance(error, Refused):
        return now  # as soon as the account is no longer paused
    return max(error.until or now, now + backoff(entry.attempts))


def _denial(denial: Denial) -> Refusal:
    return Refusal(reason=denial.reason, advice=denial.sentence(), editable=True, retry_at=denial.retry_at)


def _refusal(error: Refused | RetryLater) -> Refusal:
    if isinstance(error, RetryLater):
        advice = "X was too busy for this survey, so it was given up. Nothing was sent; try again later."
        return Refusal(reason="RetryLater", advice=advice, editable=True)
    return Refusal(reason=type(error).__name__, advice=error.sentence(), editable=error.editable)

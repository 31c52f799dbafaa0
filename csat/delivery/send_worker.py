"""The send worker: sends accepted surveys at once or when they are due, a limited number at a time."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from csat.db import attempt_outcomes, outbox, reconciliation, send_queue
from csat.db.errors import DatabaseError, suppress_db_errors
from csat.db.survey_records import SurveyRecord
from csat.delivery.circuit_breaker import CircuitBreaker
from csat.delivery.reconciler import Reconciler
from csat.delivery.sender import MAX_AGE, SurveySender
from csat.problem_log import ProblemLog
from csat.shared_resources import Notify, Resources

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerConfig:
    """How the workers pace themselves; times are in seconds."""

    notify_after: float = 3.0
    """The requester is told that a survey waits if it is not settled by then."""
    poll_interval: float = 2.0
    """Between two polls of the queue or the outbox."""
    concurrency: int = 8
    """How many surveys are sent at a time."""
    interval_scale: float = 1.0
    """Factor for the intervals of all periodic tasks."""
    stale_after: float = 60.0
    """A worker that has not polled for so long is unhealthy."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    """Waits for `notify_after`; tests decide themselves when it has passed."""


class SendWorker:
    """Sends the surveys of its own instance, and those that other instances of its accounts left behind."""

    def __init__(
        self, resources: Resources, breaker: CircuitBreaker, notify: Notify, config: WorkerConfig
    ) -> None:
        self._resources = resources
        self._database = resources.database
        self._clock = resources.clock
        self._tasks = resources.tasks
        self._notify = notify
        self._config = config
        self._account = resources.account
        self._breaker = breaker
        self._sender = SurveySender(resources, breaker, notify)
        self._reconciler = Reconciler(resources, self._sender, breaker)
        self._slots = asyncio.Semaphore(config.concurrency)
        self._active: set[int] = set()
        self._adopted: set[int] = set()
        self._stopping = False
        self._failed_polls = ProblemLog(log, "The send queue can't be polled: %s")
        self._polled_at = time.monotonic()

    @property
    def is_healthy(self) -> bool:
        """True if the queue was polled lately."""
        return time.monotonic() < self._polled_at + self._config.stale_after

    def stop(self) -> None:
        """Start nothing new; requests that have left for X are finished."""
        self._stopping = True
        self._sender.stop()

    def start(self, survey: SurveyRecord) -> None:
        """Send a survey that this instance has claimed in the background, unless it is active already."""
        if survey.id not in self._active:
            self._active.add(survey.id)
            if survey.id not in self._adopted:
                self._resources.metrics.count_accepted(survey.survey.metric)
            sending = self._tasks.start(self._send(survey), f"sending survey {survey.id}")
            self._tasks.start(
                suppress_db_errors(self._notify_if_waiting(survey.id, sending)),
                f"watching survey {survey.id}",
            )

    async def run(self) -> None:
        """Poll until cancelled; a poll that fails does not end the loop."""
        while not self._stopping:
            await asyncio.wait({self._tasks.start(self.poll(), "polling the send queue")})
            await asyncio.sleep(self._config.poll_interval)

    async def poll(self) -> None:
        """Take over what is due: a paused account, surveys, uncertain attempts, and expired addresses.

        The probe is first: an instance that starts refuses no surveys for an old pause before it asks X.
        """
        try:
            await self._breaker.probe()
            now = self._clock()
            await self._send_due(now)
            await self._reconcile_due(now)
            await self._database.run(send_queue.erase_response_urls, now)
        except DatabaseError as error:
            self._failed_polls.note(error)
        else:
            self._failed_polls.end()
            self._polled_at = time.monotonic()

    async def _send_due(self, now: datetime) -> None:
        for notification in await self._database.run(attempt_outcomes.mark_stalled, now, tuple(self._active)):
            log.warning("Survey %s is uncertain: the instance that sent it is gone", notification.survey.id)
            self._notify(notification)
        # beside this instance's own surveys: a busy instance still takes over what others left behind
        limit, instance = self._config.concurrency, self._resources.instance
        accounts = self._resources.accounts
        free = limit - len(self._adopted)
        for survey in await self._database.run(send_queue.claim, accounts, instance, now, free):
            self._adopted.add(survey.id)
            self.start(survey)
        for notification in await self._database.run(
            send_queue.refuse_overdue, self._account, now - MAX_AGE, now, limit
        ):
            log.warning("Survey %s is refused: its account was paused for too long", notification.survey.id)
            self._notify(notification)

    async def _reconcile_due(self, now: datetime) -> None:
        limit, accounts = self._config.concurrency, self._resources.accounts
        for attempt in await self._database.run(reconciliation.claim_uncertain, accounts, now, limit):
            reconciling = suppress_db_errors(self._reconciler.reconcile(attempt))
            self._tasks.start(reconciling, f"reconciling survey {attempt.survey.id}")

    async def _send(self, survey: SurveyRecord) -> bool:
        """Attempt delivery; return True if it must be retried."""
        try:
            async with self._slots:
                return await self._sender.send(survey)
        except DatabaseError as error:
            log.warning("Survey %s waits for the database: %s", survey.id, error)
            return True
        finally:
            self._active.discard(survey.id)
            self._adopted.discard(survey.id)

    async def _notify_if_waiting(self, survey_id: int, sending: asyncio.Task[bool]) -> None:
        """Tell the requester that their survey waits, unless it is settled within `notify_after`.

        While a request is in flight nobody is told: the message has a button to cancel the survey.
        """
        timer = asyncio.ensure_future(self._config.sleep(self._config.notify_after))
        done, _ = await asyncio.wait({sending, timer}, return_when=asyncio.FIRST_COMPLETED)
        if sending in done and (sending.cancelled() or sending.exception() or not sending.result()):
            timer.cancel()
            return
        await timer
        if not await self._notify_of_waiting(survey_id):
            await asyncio.wait({sending})  # a request was in flight
            await self._notify_of_waiting(survey_id)

    async def _notify_of_waiting(self, survey_id: int) -> bool:
        notification = await self._database.run(outbox.enqueue_waiting, survey_id, self._clock())
        if notification:
            self._notify(notification)
        return notification is not None

"""Fetches responses from X: polls each young survey, and sweeps X's events for all older ones."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from csat.db import poll_queue
from csat.db.errors import DatabaseError
from csat.db.poll_budget_and_sweeps import (
    Span,
    claim_sweep,
    exhaust_budget,
    mark_swept,
    reschedule_sweep,
    split_sweep,
)
from csat.db.poll_queue import Poll
from csat.feedback.x_update_intake import Intake
from csat.scheduler import PeriodicTask
from csat.shared_resources import Resources
from csat.surveys.transport_errors import Refused, RetryLater, TransportError
from csat.surveys.transports import FACTS
from csat.x_api.client import XClient
from csat.x_api.errors import AccountRefused, InvalidFeedback, RateLimited, Unreadable

BATCH_SIZE = 20
"""How many surveys are claimed at a time; X is asked about one after the other."""

RETRY_AFTER = timedelta(minutes=1)
"""After a failure for which X names no time."""

ACCOUNT_ERRORS = (AccountRefused, RateLimited)
"""After these X answers no other request either, for some time."""

POLL_SECONDS = 5
SWEEP_SECONDS = 60
MATCH_SECONDS = 10

log = logging.getLogger(__name__)


class ResponsePoller:
    """Fetches responses within the rate limit that all instances share.

    Args:
        report: is given each error after which X may answer no other request either.
    """

    def __init__(
        self,
        resources: Resources,
        x: XClient,
        intake: Intake,
        report: Callable[[TransportError], Awaitable[None]],
    ) -> None:
        self._database = resources.database
        self._x = x
        self._intake = intake
        self._account = resources.account
        self._report = report
        self._sends_polled_surveys = any(FACTS[name].is_polled for name in resources.settings.csat_transports)
        self._clock = resources.clock

    def periodic_tasks(self) -> list[PeriodicTask]:
        """Return the tasks for the scheduler."""
        tasks = [
            PeriodicTask("polling X for responses", self.poll, POLL_SECONDS),
            PeriodicTask("matching responses", self._intake.match, MATCH_SECONDS),
        ]
        if self._sends_polled_surveys:
            tasks.append(PeriodicTask("sweeping X's events", self.sweep, SWEEP_SECONDS))
        return tasks

    async def poll(self) -> None:
        """Ask X about the surveys that are due.

        Raises a `TransportError` if X answers no requests of the account. Any other failure costs a survey
        its turn, and no other's.
        """
        claimed = deque(await self._database.run(poll_queue.claim, self._account, self._clock(), BATCH_SIZE))
        try:
            await self._fetch_all(claimed)
        except ACCOUNT_ERRORS as error:
            await self._report(error)
            await self._database.run_with_retry(exhaust_budget, self._account, self._retry_at(error))
            raise

    async def sweep(self) -> None:
        """Read X's events up to the newest that it lists; raises `TransportError` or `DatabaseError`."""
        while span := await self._database.run(claim_sweep, self._account, self._clock()):
            try:
                await self._read_events(span)
            except (Unreadable, DatabaseError) as error:
                await self._split(span, error)
                raise
            except TransportError as error:
                await self._report(error)
                await self._database.run_with_retry(reschedule_sweep, self._account, self._retry_at(error))
                raise
            await self._database.run(mark_swept, self._account, span, self._clock())

    async def _fetch_all(self, claimed: deque[Poll]) -> None:
        """Fetch one after the other, and give back those that were not reached."""
        try:
            while claimed:
                await self._try_to_fetch(claimed)
        finally:
            if claimed:
                await self._database.run_with_retry(poll_queue.release, self._account, list(claimed))

    async def _try_to_fetch(self, claimed: deque[Poll]) -> None:
        poll = claimed.popleft()
        try:
            await self._fetch(poll)
        except ACCOUNT_ERRORS:
            claimed.appendleft(poll)
            raise
        except (TransportError, DatabaseError) as error:
            log.warning("Feedback %s was not fetched: %s", poll.feedback_id, error)
            await self._database.run_with_retry(poll_queue.mark_failed, poll, self._clock())

    async def _fetch(self, poll: Poll) -> None:
        try:
            update = await self._x.show_feedback(poll.feedback_id)
        except InvalidFeedback as problem:
            self._intake.reject(problem)
        except AccountRefused:
            raise
        except Refused as refusal:
            log.warning("X does not show feedback %s: %s", poll.feedback_id, refusal)
        else:
            await self._intake.take(update)

    async def _read_events(self, span: Span) -> None:
        async for page in self._x.list_events(*span):
            for problem in page.invalid:
                self._intake.reject(problem)
            for update in page.updates:
                await self._intake.take(update)

    async def _split(self, span: Span, error: TransportError | DatabaseError) -> None:
        due_at = self._clock() + RETRY_AFTER
        if not await self._database.run(split_sweep, self._account, span, due_at):
            log.error("X's events from %s to %s are skipped: %s", span.begin, span.end, error)

    def _retry_at(self, error: TransportError) -> datetime:
        until = error.until if isinstance(error, RetryLater) else None
        return max(until or self._clock(), self._clock() + RETRY_AFTER)

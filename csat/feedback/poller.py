"""Fetches responses from X: polls each young survey, and sweeps X's events for all older ones."""

import logging
from datetime import datetime, timedelta

from csat.clock import Clock
from csat.db import feeds, poll_queue
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.poll_queue import Poll
from csat.feedback.intake import Intake
from csat.scheduler import PeriodicTask
from csat.x_api.client import XClient
from csat.x_api.errors import AccountRefused, InvalidFeedback, Refused, RetryLater, Uncertain, XError

BATCH_SIZE = 20
"""How many surveys are claimed at a time; X is asked about one after the other."""

RETRY_AFTER = timedelta(minutes=1)
"""After a failure for which X names no time."""

POLL_SECONDS = 5
SWEEP_SECONDS = 60
MATCH_SECONDS = 10

log = logging.getLogger(__name__)


class ResponsePoller:
    """Fetches responses within the rate limit that all instances share.

    Args:
        account: the id of the X account that the client signs for.
    """

    def __init__(self, database: Database, x: XClient, intake: Intake, account: str, clock: Clock) -> None:
        self._database = database
        self._x = x
        self._intake = intake
        self._account = account
        self._clock = clock

    def periodic_tasks(self) -> list[PeriodicTask]:
        """Return the tasks for the scheduler."""
        return [
            PeriodicTask("polling X for responses", self.poll, POLL_SECONDS),
            PeriodicTask("sweeping X's events", self.sweep, SWEEP_SECONDS),
            PeriodicTask("matching responses", self._intake.match, MATCH_SECONDS),
        ]

    async def poll(self) -> None:
        """Ask X about the surveys that are due; raises an `XError` if X answers no requests now."""
        claimed = await self._database.run(poll_queue.claim, self._account, self._clock(), BATCH_SIZE)
        for number, poll in enumerate(claimed):
            try:
                await self._fetch(poll)
            except (XError, DatabaseError) as error:
                # a request that X can't answer counts as done, so that it does not block the queue
                remaining = claimed[number + isinstance(error, Uncertain) :]
                await self._database.run_with_retry(poll_queue.release, self._account, remaining)
                if isinstance(error, XError):
                    await self._database.run_with_retry(
                        feeds.exhaust_budget, self._account, self._retry_at(error)
                    )
                raise

    async def sweep(self) -> None:
        """Read X's events up to the newest that it lists; raises an `XError` if it does not."""
        while span := await self._database.run(feeds.claim_sweep, self._account, self._clock()):
            try:
                await self._read_events(span)
            except XError as error:
                await self._database.run_with_retry(
                    feeds.reschedule_sweep, self._account, self._retry_at(error)
                )
                raise
            await self._database.run(feeds.mark_swept, self._account, span, self._clock())

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

    async def _read_events(self, span: feeds.Span) -> None:
        async for page in self._x.list_events(*span):
            for problem in page.invalid:
                self._intake.reject(problem)
            for update in page.updates:
                await self._intake.take(update)

    def _retry_at(self, error: XError) -> datetime:
        until = error.until if isinstance(error, RetryLater) else None
        return max(until or self._clock(), self._clock() + RETRY_AFTER)

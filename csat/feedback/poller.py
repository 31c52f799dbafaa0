"""Answers that the app fetches: of each young survey by itself, and of all older ones from X's events."""

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
from csat.x_api.errors import InvalidFeedback, Refused, RetryLater, Uncertain, XError

TOGETHER = 20
"""How many surveys are claimed at a time; X is asked about one after the other."""

RETRY = timedelta(minutes=1)
"""How long X is left alone after a failure, where it does not say."""

log = logging.getLogger(__name__)


class ResponsePoller:
    """Asks X for answers, within what X and the other instances allow.

    Args:
        account: the id of the account on X that the client signs for.
    """

    def __init__(self, database: Database, x: XClient, intake: Intake, account: str, clock: Clock) -> None:
        self._database = database
        self._x = x
        self._intake = intake
        self._account = account
        self._clock = clock

    def works(self) -> list[PeriodicTask]:
        """Return what is to be done over and over."""
        return [
            PeriodicTask("asking X for answers", self.ask, 5),
            PeriodicTask("reading X's events", self.sweep, 60),
            PeriodicTask("matching answers", self._intake.match, 10),
        ]

    async def ask(self) -> None:
        """Ask X about the surveys whose turn it is; raises an `XError` where X takes no questions now."""
        claimed = await self._database.run(poll_queue.claim, self._account, self._clock(), TOGETHER)
        for number, ask in enumerate(claimed):
            try:
                await self._ask_about(ask)
            except (XError, DatabaseError) as error:
                # a question that X can't answer has had its turn, so that it stands in nobody's way
                left = claimed[number + isinstance(error, Uncertain) :]
                await self._database.run_with_retry(poll_queue.release, self._account, left)
                if isinstance(error, XError):
                    await self._database.run_with_retry(
                        feeds.exhaust_budget, self._account, self._again(error)
                    )
                raise

    async def sweep(self) -> None:
        """Read X's events as far as it lists them; raises an `XError` where it does not give them."""
        while span := await self._database.run(feeds.claim_sweep, self._account, self._clock()):
            try:
                await self._read(span)
            except XError as error:
                await self._database.run_with_retry(feeds.reschedule_sweep, self._account, self._again(error))
                raise
            await self._database.run(feeds.mark_swept, self._account, span, self._clock())

    async def _ask_about(self, ask: Poll) -> None:
        try:
            update = await self._x.show(ask.feedback_id)
        except InvalidFeedback as problem:
            self._intake.refuse(problem)
        except Refused as refusal:
            if refusal.pauses:
                raise
            log.warning("X does not tell of feedback %s: %s", ask.feedback_id, refusal)
        else:
            await self._intake.take(update)

    async def _read(self, span: feeds.Span) -> None:
        async for page in self._x.events(*span):
            for problem in page.refused:
                self._intake.refuse(problem)
            for update in page.updates:
                await self._intake.take(update)

    def _again(self, error: XError) -> datetime:
        until = error.until if isinstance(error, RetryLater) else None
        return max(until or self._clock(), self._clock() + RETRY)

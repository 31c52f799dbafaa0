"""The one funnel for answers, by whichever way they come: pushed by X, asked for, read among its events."""

import asyncio
import logging
from collections.abc import Callable

from csat.clock import Clock
from csat.db import responses
from csat.db.database import Database
from csat.db.responses import Taken
from csat.surveys.responses import Update
from csat.x_api.errors import InvalidFeedback

AT_ONCE = 4
"""How many answers are taken together at most: the ledger has others to serve, who wait for Slack."""

MATCHED = 500
"""How many answers that were kept are matched together."""

log = logging.getLogger(__name__)


class Intake:
    """Takes what X tells of an account's surveys.

    Args:
        account: the id of the account on X; what others sent is none of ours.
        key: makes the key by which the ledger knows a customer from their id.
    """

    def __init__(self, database: Database, account: str, key: Callable[[str], str], clock: Clock) -> None:
        self._database = database
        self._account = account
        self._key = key
        self._clock = clock
        self._room = asyncio.Semaphore(AT_ONCE)

    async def take(self, update: Update) -> Taken:
        """Take an update, for good once this returns; raises `DatabaseError` where it could not be taken."""
        feedback_id = update.receipt.id
        if update.account != self._account:
            log.info("Feedback %s is ignored: it is of account %s", feedback_id, update.account)
            return Taken.IGNORED
        key = self._key(update.receipt.to_user_id)
        async with self._room:
            taken = await self._database.run(responses.take, update, key, self._clock())
        if taken is Taken.KEPT:
            log.info("Feedback %s is kept: its survey is not known yet", feedback_id)
        if taken is Taken.IMPOSSIBLE:
            self.refuse(_other_metric(feedback_id))
        return taken

    @staticmethod
    def refuse(problem: InvalidFeedback) -> None:
        """Tell of what X says and can't be; the log learns of whom, never what."""
        log.warning("Refused what X told: %s", problem)

    async def match(self) -> None:
        """Let answers that were kept join their surveys, and give up those whose survey never came."""
        matched = await self._database.run(responses.match_unmatched, self._clock(), MATCHED)
        for feedback_id in matched.impossible:
            self.refuse(_other_metric(feedback_id))
        if matched.dropped:
            ids = ", ".join(matched.dropped)
            log.warning("Dropped %d answers of surveys nobody knows: %s", len(matched.dropped), ids)


def _other_metric(feedback_id: str) -> InvalidFeedback:
    return InvalidFeedback(f"feedback {feedback_id}: it is for another metric than its survey")

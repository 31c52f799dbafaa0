"""The intake of the responses that X tells: by its webhook, the poller, or the sweep of its events."""

import asyncio
import logging

from csat.db import incoming_updates
from csat.db.incoming_updates import UpdateOutcome
from csat.shared_resources import Resources
from csat.surveys.responses import Update
from csat.x_api.errors import InvalidFeedback

MAX_CONCURRENCY = 4
"""How many updates are stored at a time, so that submissions in Slack don't wait behind a burst of them."""

MATCH_BATCH = 500
"""How many unmatched responses are matched per run."""

log = logging.getLogger(__name__)


class Intake:
    """Stores X's updates of the surveys of this instance's account; those of others are ignored."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._account = resources.account
        self._recipient_key = resources.recipient_key
        self._metrics = resources.metrics
        self._clock = resources.clock
        self._slots = asyncio.Semaphore(MAX_CONCURRENCY)

    async def take(self, update: Update) -> UpdateOutcome:
        """Store an update durably; raises `DatabaseError`."""
        feedback_id = update.receipt.id
        if update.account != self._account:
            log.info("Feedback %s is ignored: it belongs to account %s", feedback_id, update.account)
            return UpdateOutcome.IGNORED
        key = self._recipient_key(update.receipt.to_user_id)
        async with self._slots:
            taken = await self._database.run(incoming_updates.apply_update, update, key, self._clock())
        if taken is UpdateOutcome.ANSWERED:
            self._metrics.count_answer(update.metric)
        if taken is UpdateOutcome.UNMATCHED:
            log.info("Feedback %s is kept until its survey is known", feedback_id)
        if taken is UpdateOutcome.INVALID:
            self.reject(_wrong_metric(feedback_id))
        return taken

    @staticmethod
    def reject(problem: InvalidFeedback) -> None:
        """Log feedback that can't be true: its id and what is wrong, never its contents."""
        log.warning("Feedback rejected: %s", problem)

    async def match(self) -> None:
        """Match responses that came before their surveys were known, and drop those that never were."""
        matched = await self._database.run(incoming_updates.match_unmatched, self._clock(), MATCH_BATCH)
        for metric in matched.answered:
            self._metrics.count_answer(metric)
        for feedback_id in matched.invalid:
            self.reject(_wrong_metric(feedback_id))
        if matched.expired:
            ids = ", ".join(matched.expired)
            log.warning("Dropped %d responses to unknown surveys: %s", len(matched.expired), ids)


def _wrong_metric(feedback_id: str) -> InvalidFeedback:
    return InvalidFeedback(f"feedback {feedback_id}: its metric is not its survey's")

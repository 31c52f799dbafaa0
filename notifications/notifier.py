"""Tells Slack what became of a survey, until it was told."""

import logging
from datetime import timedelta

from blocks import notifications
from blocks.kit import Message
from csat.clock import Clock
from csat.db import accounts, outbox
from csat.db.database import Ledger
from csat.db.outbox import Due, Notice
from csat.db.survey_records import Entry, read
from csat.delivery.later import backoff, or_later
from csat.slack_api.errors import Busy, SlackError
from csat.slack_api.posting import Posted, Poster
from csat.surveys.questions import Catalogue
from csat.surveys.states import State
from csat.tasks import Tasks
from csat.x_api.errors import Uncertain
from notifications.following import NotYet, Unwanted, posted_as
from notifications.low_ratings import Alerts

MOST_TRIES = 12
"""About an hour and a half; then nobody is helped by the news any more."""

TRUE_IN = {
    Notice.SENT: {State.SENT, State.ANSWERED, State.EXPIRED},
    Notice.REFUSED: {State.REFUSED},
    Notice.UNCERTAIN: {State.UNCERTAIN},
    Notice.WAITING: {State.ACCEPTED, State.SENDING},
    Notice.LOW: set(State),
    Notice.FOLLOWED: set(State),
    Notice.ANSWERED: {State.ANSWERED},
    Notice.EXPIRED: {State.EXPIRED},
}
"""The states in which a notice is still news."""

ALERTS = frozenset({Notice.LOW, Notice.FOLLOWED})
CONFIRMATION = frozenset({Notice.SENT, Notice.ANSWERED, Notice.EXPIRED})
"""What one message tells, which follows the survey's state."""

log = logging.getLogger(__name__)


class Announcer:
    """Posts notices; one that Slack can't take now is kept for later.

    Args:
        catalogue: the questions, to quote them.
    """

    def __init__(
        self,
        ledger: Ledger,
        poster: Poster,
        alerts: Alerts,
        catalogue: Catalogue,
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        self._ledger = ledger
        self._poster = poster
        self._alerts = alerts
        self._catalogue = catalogue
        self._clock = clock
        self._tasks = tasks

    def announce(self, due: Due, entry: Entry | None = None) -> None:
        """Begin to tell one notice; nobody waits for Slack to take it."""
        self._tasks.start(or_later(self.tell(due, entry)), f"telling of survey {due.survey_id}")

    async def tell(self, due: Due, entry: Entry | None = None) -> None:
        """Tell one notice, or put it off; `entry` is the survey where it is at hand."""
        entry = entry or await self._ledger.read(read, due.survey_id)
        if entry is None or entry.state not in TRUE_IN[due.kind]:
            await self._ledger.insist(outbox.tell_later, due, None)
            return
        try:
            await self._tell(due, entry)
        except Unwanted:
            await self._ledger.insist(outbox.tell_later, due, None)
        except NotYet:
            await self._ledger.insist(outbox.tell_later, due, self._clock() + backoff(due.tries))
        except SlackError as error:
            await self._put_off(due, error)

    async def _tell(self, due: Due, entry: Entry) -> None:
        if due.kind in ALERTS:
            await self._alerts.tell(due)
            return
        posted = await self._post(entry, due.kind)
        await self._ledger.insist(outbox.told, due, posted.channel, posted.ts, self._clock())

    async def _post(self, entry: Entry, kind: Notice) -> Posted:
        if kind in CONFIRMATION:
            message = notifications.confirmation(entry.survey, entry.origin, self._catalogue, entry.state)
            if kind is Notice.SENT:
                return await self._poster.post(entry.origin, *message)
            await self._poster.rewrite(await posted_as(self._ledger, entry.id, Notice.SENT), *message)
            return Posted()
        hold = await self._ledger.read(accounts.hold, entry.account) if kind is Notice.WAITING else ""
        text, blocks = self._private(entry, kind, hold)
        return await self._poster.whisper(entry.origin, text, blocks, entry.accepted_at)

    def _private(self, entry: Entry, kind: Notice, hold: str) -> Message:
        if kind is Notice.WAITING:
            return notifications.waiting(entry.id, entry.survey, self._catalogue, self._clock(), hold)
        if entry.refusal is None:
            return notifications.uncertainty(entry.id, entry.survey, Uncertain.advice, self._catalogue)
        return notifications.refusal(
            entry.id,
            entry.survey,
            entry.refusal.advice,
            self._catalogue,
            editable=entry.refusal.editable,
            again_at=entry.refusal.again_at,
        )

    async def _put_off(self, due: Due, error: SlackError) -> None:
        again = isinstance(error, Busy) and due.tries < MOST_TRIES
        wait = max(backoff(due.tries), timedelta(seconds=getattr(error, "seconds", 0)))
        log.warning("Survey %s: %s not told (%s), again: %s", due.survey_id, due.kind, error, again)
        await self._ledger.insist(outbox.tell_later, due, self._clock() + wait if again else None)

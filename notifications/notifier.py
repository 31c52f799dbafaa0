"""Tells Slack what became of a survey, until it was told."""

import logging
from datetime import timedelta

from blocks import notifications
from blocks.elements import Message
from csat.clock import Clock
from csat.db import accounts, outbox
from csat.db.database import Database
from csat.db.outbox import Notification, NotificationKind
from csat.db.survey_records import SurveyRecord, get_survey
from csat.delivery.later import backoff, suppress_db_errors
from csat.slack_api.errors import Busy, SlackError
from csat.slack_api.posting import Posted, Poster
from csat.surveys.questions import Catalogue
from csat.surveys.states import State
from csat.tasks import BackgroundTasks
from csat.x_api.errors import Uncertain
from notifications.following import NothingToUpdate, NotPostedYet, find_posted
from notifications.low_ratings import LowRatingAlerts

MOST_TRIES = 12
"""About an hour and a half; then nobody is helped by the news any more."""

TRUE_IN = {
    NotificationKind.SENT: {State.SENT, State.ANSWERED, State.EXPIRED},
    NotificationKind.REFUSED: {State.REFUSED},
    NotificationKind.UNCERTAIN: {State.UNCERTAIN},
    NotificationKind.WAITING: {State.ACCEPTED, State.SENDING},
    NotificationKind.LOW_RATING: set(State),
    NotificationKind.FOLLOW_UP: set(State),
    NotificationKind.ANSWERED: {State.ANSWERED},
    NotificationKind.EXPIRED: {State.EXPIRED},
}
"""The states in which a notice is still news."""

ALERTS = frozenset({NotificationKind.LOW_RATING, NotificationKind.FOLLOW_UP})
CONFIRMATION = frozenset({NotificationKind.SENT, NotificationKind.ANSWERED, NotificationKind.EXPIRED})
"""What one message tells, which follows the survey's state."""

log = logging.getLogger(__name__)


class Notifier:
    """Posts notices; one that Slack can't take now is kept for later.

    Args:
        catalogue: the questions, to quote them.
    """

    def __init__(
        self,
        database: Database,
        poster: Poster,
        alerts: LowRatingAlerts,
        catalogue: Catalogue,
        clock: Clock,
        tasks: BackgroundTasks,
    ) -> None:
        self._database = database
        self._poster = poster
        self._alerts = alerts
        self._catalogue = catalogue
        self._clock = clock
        self._tasks = tasks

    def announce(self, due: Notification, entry: SurveyRecord | None = None) -> None:
        """Begin to tell one notice; nobody waits for Slack to take it."""
        self._tasks.start(suppress_db_errors(self.tell(due, entry)), f"telling of survey {due.survey_id}")

    async def tell(self, due: Notification, entry: SurveyRecord | None = None) -> None:
        """Tell one notice, or put it off; `entry` is the survey where it is at hand."""
        entry = entry or await self._database.read(get_survey, due.survey_id)
        if entry is None or entry.state not in TRUE_IN[due.kind]:
            await self._database.run_with_retry(outbox.reschedule, due, None)
            return
        try:
            await self._tell(due, entry)
        except NothingToUpdate:
            await self._database.run_with_retry(outbox.reschedule, due, None)
        except NotPostedYet:
            await self._database.run_with_retry(outbox.reschedule, due, self._clock() + backoff(due.attempts))
        except SlackError as error:
            await self._put_off(due, error)

    async def _tell(self, due: Notification, entry: SurveyRecord) -> None:
        if due.kind in ALERTS:
            await self._alerts.tell(due)
            return
        posted = await self._post(entry, due.kind)
        await self._database.run_with_retry(outbox.mark_sent, due, posted.channel, posted.ts, self._clock())

    async def _post(self, entry: SurveyRecord, kind: NotificationKind) -> Posted:
        if kind in CONFIRMATION:
            message = notifications.confirmation(entry.survey, entry.origin, self._catalogue, entry.state)
            if kind is NotificationKind.SENT:
                return await self._poster.post(entry.origin, *message)
            await self._poster.update_message(
                await find_posted(self._database, entry.id, NotificationKind.SENT), *message
            )
            return Posted()
        hold = (
            await self._database.read(accounts.pause_reason, entry.account)
            if kind is NotificationKind.WAITING
            else ""
        )
        text, blocks = self._private(entry, kind, hold)
        return await self._poster.post_ephemeral(entry.origin, text, blocks, entry.accepted_at)

    def _private(self, entry: SurveyRecord, kind: NotificationKind, hold: str) -> Message:
        if kind is NotificationKind.WAITING:
            return notifications.waiting(entry.id, entry.survey, self._catalogue, self._clock(), hold)
        if entry.refusal is None:
            return notifications.uncertainty(entry.id, entry.survey, Uncertain.advice, self._catalogue)
        return notifications.refusal(
            entry.id,
            entry.survey,
            entry.refusal.advice,
            self._catalogue,
            editable=entry.refusal.editable,
            retry_at=entry.refusal.retry_at,
        )

    async def _put_off(self, due: Notification, error: SlackError) -> None:
        again = isinstance(error, Busy) and due.attempts < MOST_TRIES
        wait = max(backoff(due.attempts), timedelta(seconds=getattr(error, "seconds", 0)))
        log.warning("Survey %s: %s not told (%s), again: %s", due.survey_id, due.kind, error, again)
        await self._database.run_with_retry(outbox.reschedule, due, self._clock() + wait if again else None)

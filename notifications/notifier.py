"""The outbox worker: posts what the engine enqueued, and retries until Slack takes it."""

import asyncio
import logging
from datetime import timedelta

from csat.backoff import backoff
from csat.db import outbox
from csat.db.errors import DatabaseError, suppress_db_errors
from csat.db.outbox import Notification, NotificationKind
from csat.problem_log import ProblemLog
from csat.scheduler import PeriodicTask
from csat.shared_resources import Resources
from csat.slack_api.error_explanations import explain
from csat.slack_api.errors import SlackError
from csat.surveys.states import State
from notifications.low_ratings import LowRatingAlerts
from notifications.pause_alerts import PauseAlerts
from notifications.posted_notifications import NothingToUpdate, NotPostedYet, Postponed
from notifications.retries import find_retry_time
from notifications.survey_notifications import SurveyNotifications

CURRENT_IN = {
    NotificationKind.SENT: {State.SENT, State.ANSWERED, State.EXPIRED},
    NotificationKind.REFUSED: {State.REFUSED},
    NotificationKind.UNCERTAIN: {State.UNCERTAIN},
    NotificationKind.LEFT_UNCERTAIN: {State.UNCERTAIN},
    NotificationKind.RESTORED: {State.UNCERTAIN},
    NotificationKind.WAITING: {State.ACCEPTED},
    NotificationKind.WAITING_FOR_OTHERS: {State.ACCEPTED},
    NotificationKind.LOW_RATING: set(State),
    NotificationKind.FOLLOW_UP: set(State),
    NotificationKind.ANSWERED: {State.ANSWERED},
    NotificationKind.EXPIRED: {State.EXPIRED},
}
"""The states of a survey in which a notification is still true."""

OVERDUE = timedelta(minutes=1)
"""How long an instance of another account has to take a survey that is due."""

WAITING_SECONDS = 60.0
"""Between two looks for surveys that wait for other accounts."""

log = logging.getLogger(__name__)


class Notifier:
    """Posts the notifications of one workspace, at most `batch_size` of them per poll."""

    def __init__(self, resources: Resources, poll_interval: float, batch_size: int) -> None:
        self._resources = resources
        self._database = resources.database
        self._slack = resources.slack
        self._clock = resources.clock
        self._poll_interval = poll_interval
        self._batch_size = batch_size
        self._survey_notifications = SurveyNotifications(resources)
        self._low_rating_alerts = LowRatingAlerts(resources)
        self._pause_alerts = PauseAlerts(resources)
        self._failed_polls = ProblemLog(log, "The outbox can't be polled: %s")
        self._silences = ProblemLog(
            log, "The outbox can't be polled, as Slack does not say which workspace this is: %s"
        )
        self._outages = ProblemLog(log, "Slack takes no messages; they are retried until it does: %s")

    def start(self, notification: Notification) -> None:
        """Count a new notification, and post it in the background."""
        self._resources.metrics.count_notification(notification)
        self._start(notification)

    def _start(self, notification: Notification) -> None:
        posting = suppress_db_errors(self.deliver(notification))
        self._resources.tasks.start(posting, _task_name(notification))

    async def run(self) -> None:
        """Poll until cancelled; a poll that fails does not end the loop."""
        while True:
            await asyncio.wait({self._resources.tasks.start(self.poll(), "polling the outbox")})
            await asyncio.sleep(self._poll_interval)

    async def poll(self) -> None:
        """Start posting what is due: other instances' notifications, retries, and alerts to operators."""
        try:
            await self._post_due()
            for alert in await self._pause_alerts.claim():
                name = f"alerting operator {alert.operator}: {alert.ts}"
                if not self._resources.tasks.is_running(name):
                    self._resources.tasks.start(suppress_db_errors(self._pause_alerts.deliver(alert)), name)
        except DatabaseError as error:
            self._failed_polls.note(error)
        else:
            self._failed_polls.end()

    def periodic_task(self) -> PeriodicTask:
        """Return the task for the scheduler."""
        return PeriodicTask(
            "announcing what waits for other accounts", self.announce_waiting, WAITING_SECONDS
        )

    async def announce_waiting(self) -> None:
        """Tell requesters that their surveys wait for another X account, whose instances are gone."""
        if not self._slack.known_team_id:
            return
        now = self._clock()
        for notification in await self._database.run(
            outbox.enqueue_waiting_for_others, self._resources.accounts, now - OVERDUE, now, self._batch_size
        ):
            self.start(notification)

    async def deliver(self, notification: Notification) -> None:
        """Post a notification, put it back for later, or drop it once it is not true any more.

        One of another workspace, which shares the X account and the database, is left to an instance there.
        """
        state = notification.survey.state
        if CURRENT_IN[notification.kind] == {State.ACCEPTED} and state is State.SENDING:
            await self._put_back(notification)  # a request is in flight: after it the survey may wait again
            return
        if state not in CURRENT_IN[notification.kind]:
            await self._database.run_with_retry(outbox.drop, notification)
            return
        try:
            if notification.survey.origin.team == await self._slack.team_id():
                await self._deliver(notification)
                self._outages.end()
            else:
                await self._database.run_with_retry(outbox.release, notification, self._clock())
        except NothingToUpdate:
            await self._database.run_with_retry(outbox.drop, notification)
        except NotPostedYet:
            await self._put_back(notification)
        except Postponed as postponed:
            await self._database.run_with_retry(outbox.reschedule, notification, postponed.until)
        except SlackError as error:
            await self._postpone(notification, error)

    async def _put_back(self, notification: Notification) -> None:
        due_at = self._clock() + backoff(notification.attempts)
        await self._database.run_with_retry(outbox.reschedule, notification, due_at)

    async def _post_due(self) -> None:
        try:
            team = await self._slack.team_id()
        except SlackError as error:
            self._silences.note(explain(error))
            return
        self._silences.end()
        for notification in await self._database.run(
            outbox.claim_notifications, team, self._clock(), self._batch_size
        ):
            if not self._resources.tasks.is_running(_task_name(notification)):
                self._start(notification)

    async def _deliver(self, notification: Notification) -> None:
        match notification.kind:
            case NotificationKind.LOW_RATING:
                await self._low_rating_alerts.post(notification)
            case NotificationKind.FOLLOW_UP:
                await self._low_rating_alerts.update(notification)
            case _:
                await self._survey_notifications.post(notification)

    async def _postpone(self, notification: Notification, error: SlackError) -> None:
        survey_id, kind = notification.survey.id, notification.kind
        retry_at = find_retry_time(error, notification.attempts, self._clock())
        level = logging.DEBUG if retry_at else logging.WARNING
        log.log(level, "Survey %s: %s not posted (%s), retry: %s", survey_id, kind, error, retry_at)
        if retry_at:
            if not notification.attempts:
                self._outages.note(explain(error))
            await self._database.run_with_retry(outbox.reschedule, notification, retry_at)
        else:
            await self._database.run_with_retry(outbox.drop, notification)


def _task_name(notification: Notification) -> str:
    return f"notifying of survey {notification.survey.id}: {notification.kind}"

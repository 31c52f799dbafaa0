"""The outbox worker: posts what the engine enqueued, and retries until Slack takes it."""

import asyncio
import contextlib
import logging
from datetime import timedelta

from blocks import survey_notifications, uncertain_survey
from blocks.elements import Message
from csat.backoff import backoff
from csat.db import account_pauses, opt_outs, outbox
from csat.db.errors import DatabaseError, suppress_db_errors
from csat.db.outbox import Notification, NotificationKind
from csat.db.survey_records import list_replaced
from csat.scheduler import PeriodicTask
from csat.shared_resources import Resources
from csat.slack_api.error_explanations import explain
from csat.slack_api.errors import SlackError
from csat.slack_api.posting import Posted
from csat.surveys.recipients import SlackPerson
from csat.surveys.states import State
from csat.surveys.transports import FACTS
from csat.x_api.errors import Uncertain
from notifications.low_ratings import LowRatingAlerts
from notifications.operator_alerts import OperatorAlerts
from notifications.posted_notifications import NothingToUpdate, NotPostedYet, find_posted
from notifications.retries import find_retry_time
from notifications.wait_reasons import explain_wait

CURRENT_IN = {
    NotificationKind.SENT: {State.SENT, State.ANSWERED, State.EXPIRED},
    NotificationKind.REFUSED: {State.REFUSED},
    NotificationKind.UNCERTAIN: {State.UNCERTAIN},
    NotificationKind.RESTORED: {State.UNCERTAIN},
    NotificationKind.WAITING: {State.ACCEPTED},
    NotificationKind.LOW_RATING: set(State),
    NotificationKind.FOLLOW_UP: set(State),
    NotificationKind.ANSWERED: {State.ANSWERED},
    NotificationKind.EXPIRED: {State.EXPIRED},
}
"""The states of a survey in which a notification is still true."""

SUPERSEDED = {
    NotificationKind.SENT: (
        NotificationKind.WAITING,
        NotificationKind.UNCERTAIN,
        NotificationKind.RESTORED,
    ),
    NotificationKind.REFUSED: (
        NotificationKind.WAITING,
        NotificationKind.UNCERTAIN,
        NotificationKind.RESTORED,
    ),
    NotificationKind.UNCERTAIN: (NotificationKind.WAITING,),
    NotificationKind.RESTORED: (NotificationKind.WAITING, NotificationKind.UNCERTAIN),
}
"""The earlier messages whose buttons no longer hold once a notification is posted."""

ASKING = (NotificationKind.UNCERTAIN, NotificationKind.RESTORED)
"""The messages with the button to send a survey again: then they say what became of the new one."""

SOON = timedelta(seconds=2)
"""No requester is told within this time that their survey waits."""

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
        self._poster = resources.slack.poster
        self._clock = resources.clock
        self._poll_interval = poll_interval
        self._batch_size = batch_size
        self._alerts = LowRatingAlerts(resources)
        self._operator_alerts = OperatorAlerts(resources)
        self._is_failing = False

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
            for alert in await self._operator_alerts.claim():
                name = f"alerting operator {alert.operator}"
                if not self._resources.tasks.is_running(name):
                    self._resources.tasks.start(
                        suppress_db_errors(self._operator_alerts.deliver(alert)), name
                    )
        except DatabaseError as error:
            level = logging.DEBUG if self._is_failing else logging.WARNING  # the log of an outage stays short
            log.log(level, "The outbox can't be polled: %s", error)
            self._is_failing = True
        else:
            self._is_failing = False

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
        if notification.kind is NotificationKind.WAITING and state is State.SENDING:
            await self._put_back(notification)  # a request is in flight: after it the survey may wait again
            return
        if state not in CURRENT_IN[notification.kind]:
            await self._database.run_with_retry(outbox.drop, notification)
            return
        try:
            if notification.survey.origin.team == await self._slack.team_id():
                await self._deliver(notification)
            else:
                await self._database.run_with_retry(outbox.release, notification, self._clock())
        except NothingToUpdate:
            await self._database.run_with_retry(outbox.drop, notification)
        except NotPostedYet:
            await self._put_back(notification)
        except SlackError as error:
            await self._postpone(notification, error)

    async def _put_back(self, notification: Notification) -> None:
        due_at = self._clock() + backoff(notification.attempts)
        await self._database.run_with_retry(outbox.reschedule, notification, due_at)

    async def _post_due(self) -> None:
        try:
            team = await self._slack.team_id()
        except SlackError as error:
            log.warning(
                "The outbox can't be polled, as Slack does not say which workspace this is: %s",
                explain(error),
            )
            return
        for notification in await self._database.run(
            outbox.claim_notifications, team, self._clock(), self._batch_size
        ):
            if not self._resources.tasks.is_running(_task_name(notification)):
                self._start(notification)

    async def _deliver(self, notification: Notification) -> None:
        match notification.kind:
            case NotificationKind.LOW_RATING:
                await self._alerts.post(notification)
            case NotificationKind.FOLLOW_UP:
                await self._alerts.update(notification)
            case _:
                posted = await self._post(notification)
                await self._database.run_until_committed(
                    outbox.mark_sent, notification, posted.channel, posted.ts, self._clock()
                )
                await self._update_earlier(notification)
                await self._point_to(posted, notification)

    async def _post(self, notification: Notification) -> Posted:
        survey = notification.survey
        match notification.kind:
            case NotificationKind.SENT:
                return await self._poster.post(survey.origin, *await self._confirmation(notification))
            case NotificationKind.ANSWERED | NotificationKind.EXPIRED:
                posted = await find_posted(self._database, survey.id, NotificationKind.SENT)
                await self._poster.update_message(posted, *await self._confirmation(notification))
                return Posted()
            case NotificationKind.REFUSED:
                text, blocks = await self._private_message(notification)
                return await self._poster.post_ephemeral(survey.origin, text, blocks, survey.accepted_at)
            case _:
                text, blocks = await self._private_message(notification)
                return await self._poster.post_private(survey.origin, text, blocks, survey.accepted_at)

    async def _point_to(self, posted: Posted, notification: Notification) -> None:
        """Say once per survey, where it was asked for, that its first message is in the app's Messages."""
        survey, is_queued = notification.survey, notification.kind is NotificationKind.WAITING
        is_asked = notification.kind is NotificationKind.UNCERTAIN and survey.replaced_id is None
        if not (is_queued or is_asked) or posted.channel in ("", survey.origin.channel):
            return
        if is_asked:
            queued = await self._database.read(outbox.get_status, survey.id, NotificationKind.WAITING)
            if queued.ts:
                return
        message = survey_notifications.pointer(survey.survey, is_queued=is_queued)
        with contextlib.suppress(SlackError):
            await self._poster.post_in_conversation(survey.origin, *message, survey.accepted_at)

    async def _update_earlier(self, notification: Notification) -> None:
        """Replace earlier messages to the requester; where that fails, their buttons say what holds now."""
        survey = notification.survey
        earlier = await self._list_earlier(notification)
        if not earlier:
            return
        if survey.state is State.REFUSED:
            message = await self._private_message(notification)
        else:
            message = survey_notifications.settled(survey.survey, survey.state, self._resources.catalogue)
        for survey_id, kind in earlier:
            status = await self._database.read(outbox.get_status, survey_id, kind)
            if status.ts:
                with contextlib.suppress(SlackError):
                    await self._poster.update_message(Posted(status.channel, status.ts), *message)

    async def _list_earlier(self, notification: Notification) -> list[tuple[int, NotificationKind]]:
        """Return the survey and the kind of each earlier message that may have been posted."""
        survey, earlier = notification.survey, list[tuple[int, NotificationKind]]()
        if survey.was_delayed or self._clock() >= survey.accepted_at + SOON:
            earlier += ((survey.id, kind) for kind in SUPERSEDED.get(notification.kind, ()))
        if survey.replaced_id is not None and notification.kind in SUPERSEDED:
            replaced = await self._database.read(list_replaced, survey)
            earlier += ((survey_id, kind) for survey_id in replaced for kind in ASKING)
        return earlier

    async def _confirmation(self, notification: Notification) -> Message:
        """Return the confirmation, which names the customer only to the own company."""
        survey = notification.survey
        is_shared = await self._slack.shared_channels.includes(survey.origin.channel)
        person, name = survey.survey.recipient, ""
        if isinstance(person, SlackPerson) and not is_shared:
            name = await self._slack.users.find_name(person.user)
        return survey_notifications.confirmation(
            survey.survey,
            survey.origin,
            self._resources.catalogue,
            survey.state,
            names_recipient=not is_shared,
            name=name,
        )

    async def _private_message(self, notification: Notification) -> Message:
        survey, catalogue = notification.survey, self._resources.catalogue
        is_own = survey.account in self._resources.accounts
        if notification.kind is NotificationKind.WAITING:
            cause = await self._database.read(account_pauses.get_pause_cause, survey.account)
            reason = explain_wait(survey, self._resources.accounts, cause)
            return survey_notifications.waiting(survey.id, survey.survey, catalogue, self._clock(), reason)
        opted_out = await self._database.read(opt_outs.is_in_force, survey.id)
        if notification.kind is NotificationKind.RESTORED:
            return uncertain_survey.uncertainty_after_restore(
                survey.id, survey.survey, catalogue, opted_out=opted_out
            )
        if survey.refusal is None:
            hint = FACTS[survey.survey.transport].hint_if_uncertain
            known = survey.uncertainty or f"{Uncertain.advice} {hint}"
            advice = known if is_own else uncertain_survey.OTHER_ACCOUNT_UNCERTAIN
            return uncertain_survey.uncertainty(
                survey.id, survey.survey, advice, catalogue, opted_out=opted_out
            )
        return survey_notifications.refusal(
            survey.id,
            survey.survey,
            survey.refusal.advice,
            catalogue,
            editable=survey.refusal.editable,
            retry_at=survey.refusal.retry_at,
            is_sent_again=survey.replaced_id is not None,
        )

    async def _postpone(self, notification: Notification, error: SlackError) -> None:
        survey_id, kind = notification.survey.id, notification.kind
        retry_at = find_retry_time(error, notification.attempts, self._clock())
        log.warning("Survey %s: %s not posted (%s), retry: %s", survey_id, kind, error, retry_at)
        if retry_at:
            await self._database.run_with_retry(outbox.reschedule, notification, retry_at)
        else:
            await self._database.run_with_retry(outbox.drop, notification)


def _task_name(notification: Notification) -> str:
    return f"notifying of survey {notification.survey.id}: {notification.kind}"

"""Messages about one survey: where each is posted, and the earlier ones that it replaces."""

import contextlib
from datetime import timedelta

from blocks import survey_notifications, uncertain_survey
from blocks.elements import Message
from csat.db import account_pauses, opt_outs, outbox, reconciliation, sent_again
from csat.db.outbox import Notification, NotificationKind
from csat.db.survey_records import SENT_AGAIN, get_survey, list_replaced
from csat.shared_resources import Resources
from csat.slack_api.errors import SlackError
from csat.slack_api.posting import Posted
from csat.surveys.recipients import SlackPerson
from csat.surveys.states import State
from csat.surveys.transport_errors import Uncertain
from csat.surveys.transports import FACTS
from notifications.posted_notifications import find_posted
from notifications.wait_reasons import explain_wait

WAITS = (NotificationKind.WAITING, NotificationKind.WAITING_FOR_OTHERS)
"""The messages with the button to cancel a survey that waits."""

SUPERSEDED = {
    NotificationKind.SENT: (*WAITS, NotificationKind.UNCERTAIN, NotificationKind.RESTORED),
    NotificationKind.REFUSED: (*WAITS, NotificationKind.UNCERTAIN, NotificationKind.RESTORED),
    NotificationKind.UNCERTAIN: WAITS,
    NotificationKind.RESTORED: (*WAITS, NotificationKind.UNCERTAIN),
    NotificationKind.WAITING_FOR_OTHERS: (NotificationKind.WAITING,),
}
"""The earlier messages whose buttons no longer hold once a notification is posted."""

SUPERSEDING = {
    State.SENT: NotificationKind.SENT,
    State.ANSWERED: NotificationKind.SENT,
    State.EXPIRED: NotificationKind.SENT,
    State.REFUSED: NotificationKind.REFUSED,
    State.UNCERTAIN: NotificationKind.UNCERTAIN,
}
"""The notification that supersedes others of a survey in this state."""

ASKING = (NotificationKind.UNCERTAIN, NotificationKind.RESTORED)
"""The messages with the button to send a survey again: then they say what became of the new one."""

SOON = timedelta(seconds=2)
"""No requester is told within this time that their survey waits."""


class SurveyNotifications:
    """Posts what the requester of a survey, or the conversation it was asked for in, is told of it."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._slack = resources.slack
        self._poster = resources.slack.poster
        self._resources = resources
        self._catalogue = resources.catalogue
        self._clock = resources.clock

    async def post(self, notification: Notification) -> None:
        """Post or update a message, and bring earlier ones up to date.

        Raises `SlackError`, `NotPostedYet`, `NothingToUpdate` or `DatabaseError`.
        """
        posted = await self._post(notification)
        await self._database.run_until_committed(
            outbox.mark_sent, notification, posted.channel, posted.ts, self._clock()
        )
        await self._update_earlier(notification)
        await self._update_if_overtaken(notification)
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
            case NotificationKind.LEFT_UNCERTAIN:
                posted = await find_posted(self._database, survey.id, NotificationKind.UNCERTAIN)
                await self._poster.update_message(posted, *await self._private_message(notification))
                return Posted()
            case NotificationKind.REFUSED:
                text, blocks = await self._private_message(notification)
                return await self._poster.post_ephemeral(survey.origin, text, blocks, survey.accepted_at)
            case _:
                text, blocks = await self._private_message(notification)
                return await self._poster.post_private(survey.origin, text, blocks, survey.accepted_at)

    async def _point_to(self, posted: Posted, notification: Notification) -> None:
        """Say once per survey, where it was asked for, that its first message is in the app's Messages."""
        survey, is_queued = notification.survey, notification.kind in WAITS
        is_asked = notification.kind is NotificationKind.UNCERTAIN and survey.replaced_id is None
        if not (is_queued or is_asked) or posted.channel in ("", survey.origin.channel):
            return
        if is_asked and not await self._is_still_uncertain(survey.id):
            return
        if is_asked or notification.kind is NotificationKind.WAITING_FOR_OTHERS:
            queued = await self._database.read(outbox.get_status, survey.id, NotificationKind.WAITING)
            if queued.ts:
                return
        message = survey_notifications.pointer(survey.survey, is_queued=is_queued)
        with contextlib.suppress(SlackError):
            await self._poster.post_in_conversation(survey.origin, *message, survey.accepted_at)

    async def _is_still_uncertain(self, survey_id: int) -> bool:
        survey = await self._database.read(get_survey, survey_id)
        return survey is not None and survey.state is State.UNCERTAIN

    async def _update_earlier(self, notification: Notification) -> None:
        """Replace earlier messages to the requester; where that fails, their buttons say what holds now."""
        survey = notification.survey
        earlier = await self._list_earlier(notification)
        if not earlier:
            return
        if survey.state in (State.REFUSED, State.ACCEPTED):
            message = await self._private_message(notification)
        else:
            message = survey_notifications.settled(survey.survey, survey.state, self._catalogue)
        for survey_id, kind in earlier:
            status = await self._database.read(outbox.get_status, survey_id, kind)
            if status.ts:
                with contextlib.suppress(SlackError):
                    await self._poster.update_message(Posted(status.channel, status.ts), *message)

    async def _update_if_overtaken(self, notification: Notification) -> None:
        """Replace messages whose survey moved on while the notification was posted."""
        survey = notification.survey
        for survey_id in await self._list_overtakable(notification):
            current = await self._database.read(get_survey, survey_id)
            if current is None or current.refusal == SENT_AGAIN:
                continue
            is_overtaken = survey_id != survey.id or current.state is not survey.state
            if is_overtaken and (kind := SUPERSEDING.get(current.state)):
                await self._update_earlier(Notification(survey=current, kind=kind))

    async def _list_overtakable(self, notification: Notification) -> list[int]:
        """Return the surveys whose messages could not be found yet, or were just replaced."""
        survey, kind = notification.survey, notification.kind
        if kind in (*SUPERSEDED[NotificationKind.SENT], NotificationKind.LEFT_UNCERTAIN):
            return [survey.id]
        if kind is NotificationKind.REFUSED:
            return await self._database.read(list_replaced, survey)
        return []

    async def _list_earlier(self, notification: Notification) -> list[tuple[int, NotificationKind]]:
        """Return the survey and the kind of each earlier message that may have been posted."""
        survey, earlier = notification.survey, list[tuple[int, NotificationKind]]()
        if survey.was_delayed or self._clock() >= survey.accepted_at + SOON:
            earlier += ((survey.id, kind) for kind in SUPERSEDED.get(notification.kind, ()))
        if survey.replaced_id is not None and notification.kind in SUPERSEDED.keys() - set(WAITS):
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
            self._catalogue,
            survey.state,
            names_recipient=not is_shared,
            name=name,
        )

    async def _private_message(self, notification: Notification) -> Message:
        survey, catalogue = notification.survey, self._catalogue
        is_own = survey.account in self._resources.accounts
        if notification.kind in WAITS:
            cause = await self._database.read(account_pauses.get_pause_cause, survey.account)
            reason = explain_wait(survey, self._resources.accounts, cause)
            return survey_notifications.waiting(survey.key, survey.survey, catalogue, self._clock(), reason)
        opted_out = await self._database.read(opt_outs.is_in_force, survey.id)
        if notification.kind is NotificationKind.RESTORED:
            return uncertain_survey.uncertainty_after_restore(
                survey.key, survey.survey, catalogue, opted_out=opted_out
            )
        if survey.refusal is None:
            hint = FACTS[survey.survey.transport].hint_if_uncertain
            question = uncertain_survey.WHETHER_IT_ARRIVED[survey.survey.recipient.network]
            advice = survey.uncertainty or f"{Uncertain.advice} {question} {hint}"
            ask = uncertain_survey.uncertainty
            if notification.kind is NotificationKind.LEFT_UNCERTAIN:
                advice, ask = f"{uncertain_survey.NOT_FOUND_OUT} {question}", uncertain_survey.left_uncertain
            elif not is_own:
                advice = uncertain_survey.OTHER_ACCOUNT_UNCERTAIN
            elif not await self._database.read(reconciliation.is_reconciled, survey.id):
                advice, ask = advice.removesuffix(f" {hint}"), uncertain_survey.left_uncertain
            return ask(survey.key, survey.survey, advice, catalogue, opted_out=opted_out)
        return survey_notifications.refusal(
            survey.key,
            survey.survey,
            survey.refusal.advice,
            catalogue,
            editable=survey.refusal.editable,
            retry_at=survey.refusal.retry_at,
            is_sent_again=await self._database.read(sent_again.earlier_may_have_arrived, survey.id),
        )

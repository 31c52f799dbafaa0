"""The buttons below a survey's messages: cancel a waiting survey, settle an uncertain one."""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import survey_notifications, uncertain_survey, wait_reasons
from blocks.elements import Message, message_about, plain_message
from blocks.survey_denials import denial_message
from csat.db import opt_outs, reconciliation, send_queue, submissions
from csat.db.sent_again import earlier_may_have_arrived
from csat.db.submissions import OtherAccount
from csat.db.survey_records import SurveyRecord
from csat.db.survey_transitions import AlreadySettled
from csat.slack_api.payloads import Interaction
from csat.slack_api.user_permissions import PermissionDenied
from csat.surveys.limits import Denial, Denied
from csat.surveys.origin import Origin
from csat.surveys.states import State
from csat.surveys.transports import FACTS
from handlers.services import GONE, Services

CANCEL_OUTCOMES = {
    State.CANCELLED: "Canceled: the survey to {customer}. Nothing was sent.",
    State.SENDING: (
        "Too late to cancel: the survey to {customer} is on its way to {network}. We'll tell you how it went."
    ),
    State.UNCERTAIN: (
        "Too late to cancel: the survey to {customer} went to {network}, but we got no confirmation that it "
        "arrived."
    ),
    State.REFUSED: "Nothing to cancel: the survey to {customer} doesn't wait any more.",
    None: "Only the person who asked for this survey can cancel it.",
}
ALREADY_SENT = "Too late to cancel: the survey to {customer} was already sent."

ARRIVED = "Noted: the survey to {customer} arrived. The confirmation follows."
SENT_AGAIN = "You chose to send the survey to {customer} again. We'll tell you how it went."
LEFT_UNCERTAIN = "Left as it is. {promise} Until then you can still say whether it arrived."
LEFT_TO_OTHER_ACCOUNT = (
    f"Left as it is. {wait_reasons.OTHER_ACCOUNT} "
    "X's records settle it once this app has that account's keys again, and we'll tell you."
)
LEFT_TO_REQUESTER = (
    "Left as it is. We can't find out whether it arrived: once you know, you can still say so."
)
NOT_SENT_AGAIN = (
    f"Nothing was sent. {wait_reasons.OTHER_ACCOUNT} "
    "You can send it again once an admin of this app has set that account's keys again."
)
ALREADY_SETTLED = "Nothing to do: this is already settled, or somebody else asked for the survey."


def register(app: AsyncApp, services: Services) -> None:
    """Register the listeners for the buttons."""
    app.action(survey_notifications.CANCEL_ACTION)(partial(cancel, services))
    app.action(uncertain_survey.ARRIVED_ACTION)(partial(confirm_arrival, services))
    app.action(uncertain_survey.SEND_AGAIN_ACTION)(partial(send_again, services))
    app.action(uncertain_survey.LEAVE_ACTION)(partial(leave_uncertain, services))


async def cancel(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Cancel a waiting survey; its requester always may.

    While a request is in flight the message keeps its button, as the survey may wait again after it.
    """
    await ack()
    interaction = Interaction.model_validate(body)
    if not (survey := await _find(services, interaction)):
        return
    state = await services.database.run_idempotent(
        send_queue.cancel, survey.id, interaction.team, interaction.user
    )
    message = _tell(survey, CANCEL_OUTCOMES.get(state, ALREADY_SENT))
    if state is State.CANCELLED and await services.database.read(earlier_may_have_arrived, survey.id):
        message = survey_notifications.repetition_cancelled(
            survey.key, survey.survey, services.form.catalogue
        )
    show = services.reply if state is State.SENDING else services.replace
    await show(_origin(services, interaction), message)


async def confirm_arrival(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Mark an uncertain survey as sent."""
    await ack()
    interaction = Interaction.model_validate(body)
    if not (survey := await _find(services, interaction)):
        return
    origin = _origin(services, interaction)
    confirmed = (survey.id, interaction.team, interaction.user, services.clock())
    try:
        notification = await services.database.run_idempotent(reconciliation.confirm_arrival, *confirmed)
    except AlreadySettled:
        await services.replace(origin, plain_message(ALREADY_SETTLED))
    else:
        await services.replace(origin, _tell(survey, ARRIVED))
        if notification:
            services.notify(notification)


async def send_again(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Send an uncertain survey again if its requester may send and no limit forbids it."""
    await ack()
    interaction = Interaction.model_validate(body)
    if not (survey := await _find(services, interaction)):
        return
    origin = _origin(services, interaction)
    requested = (survey.id, interaction.team, interaction.user)
    again = (*requested, services.accounts, services.instance, services.limits)
    try:
        await services.slack.permissions.require_agent(interaction.user)
        record = await services.database.run_idempotent(submissions.send_again, *again, services.clock())
    except PermissionDenied as refusal:
        await services.reply(origin, plain_message(str(refusal)))
    except OtherAccount:
        await services.reply(origin, plain_message(NOT_SENT_AGAIN))
    except Denied as denied:
        await _show_denial(services, origin, denied.denial, survey)
    except AlreadySettled:
        await services.replace(origin, plain_message(ALREADY_SETTLED))
    else:
        if record.state is State.ACCEPTED:
            await _start_again(services, origin, record)


async def _show_denial(services: Services, origin: Origin, denial: Denial, survey: SurveyRecord) -> None:
    """Say why a survey isn't sent again; if it never can be, that is said in place of the button."""
    if denial.is_permanent:
        message = uncertain_survey.not_sent_again(survey.key, survey.survey, services.form.catalogue)
        await services.replace(origin, message)
    else:
        await services.reply(origin, denial_message(denial, origin))


async def _start_again(services: Services, origin: Origin, record: SurveyRecord) -> None:
    """Send a survey once its requester is told, as that message is updated with its outcome."""
    try:
        await services.replace(origin, message_about(record.survey.recipient, SENT_AGAIN))
    finally:
        services.worker.start(record)


async def leave_uncertain(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Leave an uncertain survey to the reconciler; its requester can still say what they see on X."""
    await ack()
    interaction = Interaction.model_validate(body)
    if not (survey := await _find(services, interaction)):
        return
    if survey.state is not State.UNCERTAIN:
        left = plain_message(ALREADY_SETTLED)
    else:
        words = await _describe_left(services, survey)
        opted_out = await services.database.read(opt_outs.is_in_force, survey.id)
        left = uncertain_survey.left_uncertain(
            survey.key, survey.survey, words, services.form.catalogue, opted_out=opted_out
        )
    await services.replace(_origin(services, interaction), left)


async def _describe_left(services: Services, survey: SurveyRecord) -> str:
    """Return who settles a survey that its requester leaves as it is."""
    if survey.account not in services.accounts:
        return LEFT_TO_OTHER_ACCOUNT
    if not await services.database.read(reconciliation.is_reconciled, survey.id):
        return LEFT_TO_REQUESTER
    return LEFT_UNCERTAIN.format(promise=FACTS[survey.survey.transport].promise_if_left)


async def _find(services: Services, interaction: Interaction) -> SurveyRecord | None:
    """Return the survey whose button was pressed; say so in its place if that is not on file any more."""
    survey = await services.find_survey(interaction.value)
    if survey is None:
        await services.replace(_origin(services, interaction), plain_message(GONE))
    return survey


def _tell(survey: SurveyRecord, words: str) -> Message:
    """Return a sentence about the survey whose button was pressed."""
    recipient = survey.survey.recipient
    return message_about(recipient, words.replace("{network}", recipient.network.label))


def _origin(services: Services, interaction: Interaction) -> Origin:
    return interaction.origin(services.clock())

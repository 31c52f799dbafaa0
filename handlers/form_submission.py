"""The submitted form: check it, commit the survey once, and say why if that is not possible."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.elements import message_about
from blocks.form_state import Form, field_errors
from blocks.survey_denials import denial_text
from blocks.survey_form import CALLBACK_ID, OPTIONS
from csat.db import submissions
from csat.db.errors import CommitUnknown, DatabaseError
from csat.db.survey_records import edited_view_id
from csat.slack_api.errors import SlackError
from csat.slack_api.user_permissions import PermissionDenied
from csat.surveys.limits import Denial, Denied
from csat.surveys.recipients import InvalidRecipient, parse_recipient
from csat.surveys.survey import FormField, InvalidDraft, Problems, Survey
from csat.surveys.transport_errors import Refused
from csat.x_api.errors import AccountRefused
from handlers import slack_customers
from handlers.form_editing import parse_form, update_form
from handlers.services import Services

NOTHING_SENT = "Nothing was sent."
"""Beside a form that shows why."""
NOT_SAVED = (
    "Not saved, nothing was sent. Try again in a moment. If it keeps happening, tell an admin of this app."
)
NOT_KNOWN = (
    "We can't tell whether this was saved. "
    "Send it again from this form: either way, your customer gets it only once."
)
ALREADY_ACCEPTED = (
    "The survey is already on its way as you first sent it. "
    "What you have changed since then wasn't sent. You can close this form."
)
EDITED = "Edited: a new survey to {customer} takes its place. We'll tell you how it went."


@dataclass(frozen=True)
class Accepted:
    """The survey was committed, by this delivery of the submission or by an earlier one."""


@dataclass(frozen=True)
class Invalid:
    """Fields of the form are invalid, or the requester may not send surveys."""

    problems: Problems


@dataclass(frozen=True)
class MessagesMayBeClosed:
    """X hints that the customer does not accept messages; the requester was not warned yet."""

    customer: str


@dataclass(frozen=True)
class NotAccepted:
    """The survey could not be saved, or another one was accepted from this form."""

    alert_text: str


SubmissionResult = Accepted | Invalid | Denial | MessagesMayBeClosed | NotAccepted


def register(app: AsyncApp, services: Services) -> None:
    """Register the listener for the submitted form."""
    app.view(CALLBACK_ID)(partial(submit, services))


async def submit(services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Commit the survey, then let Slack close the form; or keep it open and say why."""
    deadline = asyncio.get_running_loop().time() + services.timeouts.form_commit
    services.slack.views.supersede(view["id"])
    form = parse_form(services, body, view).model_copy(update={"submitted": True})
    if form.shown_questions != form.questions_block_id:  # the update that shows them was lost
        await ack(response_action="update", view=services.form.build(form))
        return
    match await _submit(services, form, view["id"], deadline):
        case Accepted():
            await ack()
            await _replace_refusal(services, form)
        case Invalid(problems) if not form.shows_options and problems.keys() & OPTIONS:
            opened = form.model_copy(update={"shows_options": True})
            await ack(response_action="update", view=services.form.build(opened, " ".join(problems.values())))
        case Invalid(problems):
            await ack(response_action="errors", errors=field_errors(problems, form))
        case Denial() as denial:
            is_shown = await _show_denial(services, view, form, denial)
            problems = {FormField.RECIPIENT: NOTHING_SENT if is_shown else denial_text(denial)}
            await ack(response_action="errors", errors=field_errors(problems, form))
        case MessagesMayBeClosed(customer):
            warned = form.model_copy(update={"warned_about": customer})
            await ack(response_action="update", view=services.form.build(warned))
        case NotAccepted(alert_text):
            await ack(response_action="update", view=services.form.build(form, alert_text))


async def _replace_refusal(services: Services, form: Form) -> None:
    """Take the button away from the message about the refused survey that was edited, if Slack lets us."""
    if not form.refusal_url or not form.recipient:
        return
    origin = form.origin.model_copy(update={"response_url": form.refusal_url})
    with contextlib.suppress(SlackError):
        await services.slack.poster.replace_original(origin, *message_about(form.recipient, EDITED))


async def _show_denial(services: Services, view: Mapping[str, Any], form: Form, denial: Denial) -> bool:
    """Show a denial with its date, its person and a link, and return True once the form has it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(services.timeouts.form_denial):
            link = await services.link_previous(denial, form.origin.channel)
            return await update_form(services, view, form.with_denial(denial, link))
    return False


async def _submit(services: Services, form: Form, view_id: str, deadline: float) -> SubmissionResult:
    try:
        _, checked = await asyncio.gather(
            services.slack.permissions.require_agent(form.origin.requester), _check(services, form)
        )
    except PermissionDenied as refusal:
        return Invalid({FormField.RECIPIENT: str(refusal)})
    if not isinstance(checked, Survey):
        return checked
    return await _save(services, form, view_id, checked, deadline)


async def _check(services: Services, form: Form) -> Survey | Invalid | Denial | MessagesMayBeClosed:
    """Return the survey with what X knows of its recipient, or all of the form's problems at once.

    A customer who can't be asked anyway gives no reason to warn that they may not accept messages.
    """
    recipient, account = None, None
    problems: dict[FormField, str] = {}
    try:
        recipient = parse_recipient(form.draft.recipient, form.origin.team)
        await slack_customers.check_customer(services, recipient, form.origin.requester)
        account = await services.look_up_account(recipient)
    except InvalidRecipient as error:
        problems[FormField.RECIPIENT] = str(error)
    except AccountRefused:
        pass  # the survey waits, and its requester is told the cause
    except Refused as refusal:
        problems[FormField.RECIPIENT] = refusal.sentence()
    try:
        survey = Survey.from_draft(form.draft, services.form.catalogue, recipient)
    except InvalidDraft as error:
        return Invalid({**error.problems, **problems})
    if problems:
        return Invalid(problems)
    if account and account.receives_dm is False and form.warned_about != survey.recipient.label:
        known = await services.read_form_context(form, account.recipient)
        return known.denial or MessagesMayBeClosed(survey.recipient.label)
    return survey.with_recipient(account.recipient) if account else survey


async def _save(
    services: Services, form: Form, view_id: str, survey: Survey, deadline: float
) -> Accepted | Denial | NotAccepted:
    """Commit the survey once per view, and start to send it."""
    recipient_id = survey.recipient.id
    key = services.recipient_key(recipient_id) if recipient_id else None
    account = services.account_of(survey.recipient)
    submission = submissions.Submission(
        edited_view_id(form.edited_id, view_id), survey, form.origin, account, services.instance, key
    )
    seconds = deadline - asyncio.get_running_loop().time()
    try:
        record = await services.database.run_before_deadline(
            seconds, submissions.accept, submission, services.limits, services.clock()
        )
    except Denied as denied:
        return denied.denial
    except CommitUnknown:
        return NotAccepted(NOT_KNOWN)
    except DatabaseError:
        return NotAccepted(NOT_SAVED)
    if not record.survey.is_same_as(survey):
        return NotAccepted(ALREADY_ACCEPTED)
    services.worker.start(record)
    return Accepted()

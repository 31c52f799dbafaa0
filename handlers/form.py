"""The open form: its preview, the customers that it offers, and its submission."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.denials import denial_text
from blocks.form_customer import USE_CUSTOMER_ACTION
from blocks.form_state import Form, field_errors
from blocks.survey_form import (
    CALLBACK_ID,
    MORE_OPTIONS_ACTION,
    OPTIONS,
    PREVIEW_FIELDS,
    SWITCH_NETWORK_ACTION,
)
from csat.db import submissions
from csat.db.errors import CommitUnknown, DatabaseError
from csat.slack_api.payloads import Interaction
from csat.slack_api.user_permissions import PermissionDenied
from csat.surveys.limits import Denial, Denied
from csat.surveys.networks import Network
from csat.surveys.recipients import InvalidRecipient, parse_recipient
from csat.surveys.survey import FormField, InvalidDraft, Problems, Survey
from csat.x_api.errors import AccountRefused, Refused
from handlers import slack_customers
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

DATABASE_DEADLINE_SECONDS = 2.0
"""For the commit to begin: it takes a part of the third second that Slack allows."""

DENIAL_SECONDS = 0.8
"""For the form to show a denial, in the rest of that second."""


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
    """Register the listeners for the form."""
    app.view(CALLBACK_ID)(partial(submit, services))
    for action_id in PREVIEW_FIELDS:
        app.action(action_id)(partial(update_preview, services))
    app.action(MORE_OPTIONS_ACTION)(partial(show_options, services))
    app.action(SWITCH_NETWORK_ACTION)(partial(switch_network, services))
    app.action(FormField.RECIPIENT)(partial(check_customer, services))
    app.action(re.compile(f"{USE_CUSTOMER_ACTION}:"))(partial(use_customer, services))


async def submit(services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Commit the survey, then let Slack close the form; or keep it open and say why."""
    deadline = asyncio.get_running_loop().time() + DATABASE_DEADLINE_SECONDS
    services.slack.views.supersede(view["id"])
    form = _parse_form(services, body, view).model_copy(update={"submitted": True})
    if form.shown_questions != form.questions_block_id:  # the update that shows them was lost
        await ack(response_action="update", view=services.form.build(form))
        return
    match await _submit(services, form, view["id"], deadline):
        case Accepted():
            await ack()
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


async def update_preview(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Show what was typed in the preview."""
    await ack()
    await _update(services, body["view"], _parse_form(services, body, body["view"]))


async def show_options(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Show the fields that few people change."""
    await ack()
    form = _parse_form(services, body, body["view"])
    await _update(services, body["view"], form.model_copy(update={"shows_options": True}))


async def switch_network(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Let the customer be sought in another network, and keep what was typed."""
    await ack()
    network = Network(Interaction.model_validate(body).value or "")
    form = _parse_form(services, body, body["view"])
    await _update(services, body["view"], form.with_network(network))


async def check_customer(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Say whether the customer can be asked, if the person may send surveys: they have pressed Enter."""
    await ack()
    interaction = Interaction.model_validate(body)
    with contextlib.suppress(PermissionDenied):
        await services.slack.permissions.require_agent(interaction.user)
        await _update_with_denial(services, body["view"], _parse_form(services, body, body["view"]))


async def use_customer(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Fill in another customer that the message names, if the person may send surveys."""
    await ack()
    interaction = Interaction.model_validate(body)
    with contextlib.suppress(PermissionDenied):
        await services.slack.permissions.require_agent(interaction.user)
        form = _parse_form(services, body, body["view"])
        filled_in = form.model_copy(update={"fill_count": form.fill_count + 1})
        with contextlib.suppress(InvalidRecipient):
            filled_in = filled_in.with_customer(parse_recipient(interaction.value or "", form.origin.team))
        await _update_with_denial(services, body["view"], filled_in)


def _parse_form(services: Services, body: dict[str, Any], view: dict[str, Any]) -> Form:
    """Return the form, whose requester is the person who uses it now."""
    form = services.form.parse(view)
    requester = Interaction.model_validate(body).user
    return form.model_copy(update={"origin": form.origin.model_copy(update={"requester": requester})})


async def _update(services: Services, view: Mapping[str, Any], form: Form) -> bool:
    return await services.slack.views.update(view["id"], view["hash"], services.form.build(form))


async def _update_with_denial(services: Services, view: Mapping[str, Any], form: Form) -> None:
    """Show the form with the reason why its customer can't be asked now, if there is one."""
    context, unfit = await asyncio.gather(
        services.read_form_context(form.origin, form.recipient),
        slack_customers.find_problem(services, form.recipient, form.origin.requester),
    )
    link = await services.link_previous(context.denial, form.origin.channel)
    await _update(services, view, form.with_denial(context.denial, link, unfit))


async def _show_denial(services: Services, view: Mapping[str, Any], form: Form, denial: Denial) -> bool:
    """Show a denial with its date, its person and a link, and return True once the form has it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DENIAL_SECONDS):
            link = await services.link_previous(denial, form.origin.channel)
            return await _update(services, view, form.with_denial(denial, link))
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


async def _check(services: Services, form: Form) -> Survey | Invalid | MessagesMayBeClosed:
    """Return the survey with what X knows of its recipient, or all of the form's problems at once."""
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
        return MessagesMayBeClosed(survey.recipient.label)
    return survey.with_recipient(account.recipient) if account else survey


async def _save(
    services: Services, form: Form, view_id: str, survey: Survey, deadline: float
) -> Accepted | Denial | NotAccepted:
    """Commit the survey once per view, and start to send it."""
    recipient_id = survey.recipient.id
    key = services.recipient_key(recipient_id) if recipient_id else None
    submission = submissions.Submission(
        view_id, survey, form.origin, services.account_of(survey.recipient), services.instance, key
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

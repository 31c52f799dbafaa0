"""The open form: its preview, the customers it offers, and its submission."""

import asyncio
import contextlib
import re
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.survey_form import CALLBACK_ID, PREVIEW_FIELDS, USE_CUSTOMER_ACTION, Form, field_errors
from csat.db import submissions
from csat.db.errors import DatabaseError
from csat.slack_api.payloads import Interaction
from csat.slack_api.permissions import PermissionDenied
from csat.surveys.limits import Denial, Denied
from csat.surveys.recipients import InvalidRecipient, parse_recipient
from csat.surveys.survey import FormField, InvalidDraft, Survey
from csat.x_api.errors import Refused
from handlers.services import Services

NOT_SAVED = "Not saved, nothing was sent. Try again in a moment; if it goes on, tell whoever runs this app."


ALREADY_ACCEPTED = (
    "This form was already accepted as you sent it before, and that survey is on its way. "
    "What you changed since was not sent: close this form, and ask once more if you need to."
)

BEGIN_BY = 2.0
"""Seconds after which the ledger must have begun: with its own second, Slack's three are used up."""


class MightBeClosed(Exception):
    """X hints that this customer can't be messaged, and nobody was told yet."""


class AcceptedBefore(Exception):
    """The same form was accepted before, with something else typed in it."""


def register(app: AsyncApp, services: Services) -> None:
    """Connect the form."""
    app.view(CALLBACK_ID)(partial(submit, services))
    for action_id in PREVIEW_FIELDS:
        app.action(action_id)(partial(refresh, services))
    app.action(re.compile(f"{USE_CUSTOMER_ACTION}:"))(partial(use_customer, services))


async def submit(services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Accept the survey durably, then let Slack close the form."""
    begin_by = asyncio.get_running_loop().time() + BEGIN_BY
    services.slack.updates.supersede(view["id"])
    form = _form_of(services, body, view)
    if form.shown_metric != form.draft.metric:  # the update that changes the questions was lost
        await ack(response_action="update", view=services.form.build(form))
        return
    try:
        _, survey = await asyncio.gather(
            services.slack.permissions.check(form.origin.requester), _complete(services, form)
        )
        await _accept(services, view["id"], survey, form, begin_by)
    except PermissionDenied as refusal:
        await ack(response_action="errors", errors=field_errors({FormField.RECIPIENT: str(refusal)}, form))
    except InvalidDraft as incomplete:
        await ack(response_action="errors", errors=field_errors(incomplete.problems, form))
    except Denied as denied:
        await ack(response_action="update", view=await _denied(services, form, denied.denial))
    except MightBeClosed as hint:
        warned = form.model_copy(update={"warned_about": str(hint)})
        await ack(response_action="update", view=services.form.build(warned))
    except (DatabaseError, AcceptedBefore) as problem:
        alert = ALREADY_ACCEPTED if isinstance(problem, AcceptedBefore) else NOT_SAVED
        await ack(response_action="update", view=services.form.build(form, alert_text=alert))
    else:
        await ack()


async def refresh(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Let the preview follow what is typed."""
    await ack()
    view = body["view"]
    await services.slack.updates.show(
        view["id"], view["hash"], services.form.build(_form_of(services, body, view))
    )


async def use_customer(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Fill in another customer that the message named, for somebody who may send."""
    await ack()
    with contextlib.suppress(PermissionDenied):
        await services.slack.permissions.check(Interaction.model_validate(body).user)
        await _fill_in(services, body)


async def _fill_in(services: Services, body: dict[str, Any]) -> None:
    view, chosen = body["view"], Interaction.model_validate(body).value or ""
    form = _form_of(services, body, view)
    draft = form.draft.model_copy(update={"recipient": chosen})
    filled_in = form.model_copy(update={"draft": draft, "fill_count": form.fill_count + 1})
    await services.slack.updates.show(view["id"], view["hash"], services.form.build(filled_in))


def _form_of(services: Services, body: dict[str, Any], view: dict[str, Any]) -> Form:
    form = services.form.parse(view)
    person = {"requester": Interaction.model_validate(body).user}
    return form.model_copy(update={"origin": form.origin.model_copy(update=person)})


async def _complete(services: Services, form: Form) -> Survey:
    """Return the survey, for a recipient that X knows if it says so in time.

    Raises `InvalidDraft` with all problems at once, or `MightBeClosed`.
    """
    recipient, account = None, None
    problems: dict[FormField, str] = {}
    try:
        recipient = parse_recipient(form.draft.recipient)
        account = await services.look_up_account(recipient)
    except InvalidRecipient as error:
        problems[FormField.RECIPIENT] = str(error)
    except Refused as refusal:
        problems[FormField.RECIPIENT] = refusal.sentence()
    try:
        survey = Survey.from_draft(form.draft, services.form.catalogue, recipient)
    except InvalidDraft as error:
        problems = {**error.problems, **problems}
    if problems:
        raise InvalidDraft(problems)
    if account and account.receives_dm is False and form.warned_about != survey.recipient.label:
        raise MightBeClosed(survey.recipient.label)
    return survey.with_recipient(account.recipient) if account else survey


async def _accept(services: Services, view_id: str, survey: Survey, form: Form, begin_by: float) -> None:
    """Accept a form once; raises `Denied`, or `AcceptedBefore` where it was accepted with other words."""
    recipient = survey.recipient
    key = services.recipient_key(recipient.id) if recipient.id else None
    submission = submissions.Submission(
        view_id, survey, form.origin, services.account, services.instance, key
    )
    left = begin_by - asyncio.get_running_loop().time()
    accepted = await services.database.run_before_deadline(
        left, submissions.accept, submission, services.limits, services.clock()
    )
    if accepted.is_new:
        services.worker.start(accepted.entry)
    elif not accepted.entry.survey.is_same_as(survey):
        raise AcceptedBefore


async def _denied(services: Services, form: Form, denial: Denial) -> dict[str, Any]:
    """Return the form with what stands in the way, linked where its reader may see it."""
    link = await services.slack.permalink(denial.previous, form.origin.channel) if denial.previous else ""
    return services.form.build(form.model_copy(update={"denial": denial, "link": link}))

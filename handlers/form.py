"""The open form: its preview, the customers it offers, and its submission."""

import asyncio
import contextlib
import re
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.survey_form import CALLBACK_ID, REFRESH, USE_CUSTOMER, Form, errors
from csat.db import submissions
from csat.db.errors import LedgerError
from csat.slack_api.payloads import Interaction
from csat.slack_api.permissions import MayNot
from csat.surveys.limits import Denied, WhyNot
from csat.surveys.recipients import read_recipient
from csat.surveys.survey import Field, Incomplete, Survey
from csat.x_api.errors import Refused
from handlers.look_up import look_up
from handlers.services import Desk

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


def register(app: AsyncApp, desk: Desk) -> None:
    """Connect the form."""
    app.view(CALLBACK_ID)(partial(submit, desk))
    for action_id in REFRESH:
        app.action(action_id)(partial(refresh, desk))
    app.action(re.compile(f"{USE_CUSTOMER}:"))(partial(use_customer, desk))


async def submit(desk: Desk, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Accept the survey durably, then let Slack close the form."""
    begin_by = asyncio.get_running_loop().time() + BEGIN_BY
    desk.slack.updates.overtake(view["id"])
    form = _form_of(desk, body, view)
    if form.shows != form.draft.metric:  # the update that changes the questions was lost
        await ack(response_action="update", view=desk.form.build(form))
        return
    try:
        _, survey = await asyncio.gather(
            desk.slack.members.check(form.origin.requester), _complete(desk, form)
        )
        await _accept(desk, view["id"], survey, form, begin_by)
    except MayNot as refusal:
        await ack(response_action="errors", errors=errors({Field.RECIPIENT: str(refusal)}, form))
    except Incomplete as incomplete:
        await ack(response_action="errors", errors=errors(incomplete.problems, form))
    except Denied as denied:
        await ack(response_action="update", view=await _denied(desk, form, denied.why_not))
    except MightBeClosed as hint:
        warned = form.model_copy(update={"warned_of": str(hint)})
        await ack(response_action="update", view=desk.form.build(warned))
    except (LedgerError, AcceptedBefore) as problem:
        alert = ALREADY_ACCEPTED if isinstance(problem, AcceptedBefore) else NOT_SAVED
        await ack(response_action="update", view=desk.form.build(form, alert=alert))
    else:
        await ack()


async def refresh(desk: Desk, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Let the preview follow what is typed."""
    await ack()
    view = body["view"]
    await desk.slack.updates.show(view["id"], view["hash"], desk.form.build(_form_of(desk, body, view)))


async def use_customer(desk: Desk, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Fill in another customer that the message named, for somebody who may send."""
    await ack()
    with contextlib.suppress(MayNot):
        await desk.slack.members.check(Interaction.model_validate(body).user)
        await _fill_in(desk, body)


async def _fill_in(desk: Desk, body: dict[str, Any]) -> None:
    view, chosen = body["view"], Interaction.model_validate(body).value or ""
    form = _form_of(desk, body, view)
    draft = form.draft.model_copy(update={"recipient": chosen})
    filled_in = form.model_copy(update={"draft": draft, "filled": form.filled + 1})
    await desk.slack.updates.show(view["id"], view["hash"], desk.form.build(filled_in))


def _form_of(desk: Desk, body: dict[str, Any], view: dict[str, Any]) -> Form:
    form = desk.form.parse(view)
    person = {"requester": Interaction.model_validate(body).user}
    return form.model_copy(update={"origin": form.origin.model_copy(update=person)})


async def _complete(desk: Desk, form: Form) -> Survey:
    """Return the survey, for a recipient that X knows if it says so in time.

    Raises `Incomplete` with all problems at once, or `MightBeClosed`.
    """
    problems: dict[Field, str] = {}
    survey = account = None
    try:
        survey = Survey.from_draft(form.draft, desk.form.catalogue)
    except Incomplete as incomplete:
        problems.update(incomplete.problems)
    if Field.RECIPIENT not in problems:
        try:
            account = await look_up(desk.x, read_recipient(form.draft.recipient))
        except Refused as refusal:
            problems[Field.RECIPIENT] = refusal.sentence()
    if survey is None or problems:
        raise Incomplete(problems)
    if account and account.receives_dm is False and form.warned_of != survey.recipient.typed:
        raise MightBeClosed(survey.recipient.typed)
    return survey.to(account.recipient) if account else survey


async def _accept(desk: Desk, view_id: str, survey: Survey, form: Form, begin_by: float) -> None:
    """Accept a form once; raises `Denied`, or `AcceptedBefore` where it was accepted with other words."""
    recipient = survey.recipient
    key = desk.key(recipient.id) if recipient.id else None
    submission = submissions.Submission(view_id, survey, form.origin, desk.account, desk.instance, key)
    left = begin_by - asyncio.get_running_loop().time()
    accepted = await desk.ledger.run_within(left, submissions.accept, submission, desk.limits, desk.clock())
    if accepted.is_new:
        desk.dispatcher.start(accepted.entry)
    elif accepted.entry.survey.draft() != survey.draft():
        raise AcceptedBefore


async def _denied(desk: Desk, form: Form, why_not: WhyNot) -> dict[str, Any]:
    """Return the form with what stands in the way, linked where its reader may see it."""
    link = await desk.slack.permalink(why_not.last, form.origin.channel) if why_not.last else ""
    return desk.form.build(form.model_copy(update={"why_not": why_not, "link": link}))

"""`/csat stop @handle` and `/csat unstop @handle`: record that a customer wants no surveys, and lift that."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import opt_outs as views
from blocks.elements import plain_message
from blocks.opt_outs import OptOutForm
from csat.db import opt_outs
from csat.db.errors import DatabaseError
from csat.slack_api.payloads import Interaction, SlashCommand
from csat.slack_api.user_permissions import PermissionDenied
from csat.surveys.opt_outs import How, InvalidReason, OptOut, parse_reason
from handlers.command_args import split_reason
from handlers.modal_opening import open_modal
from handlers.modal_submission import explain, save
from handlers.named_customer import identify_customer
from handlers.services import Services

AGENTS_ONLY = "Only people who can send surveys can stop them. {denial}"
SUPERVISORS_ONLY = (
    "Only supervisors can lift an opt-out. "
    "Ask a supervisor, or an admin of this app to add you to CSAT_SUPERVISORS."
)

NOT_RECORDED = "Nothing was recorded."
NOT_LIFTED = "Nothing was lifted."


def register(app: AsyncApp, services: Services) -> None:
    """Register the listeners for the two forms."""
    app.view(views.STOP_CALLBACK_ID)(partial(stop, services))
    app.view(views.LIFT_CALLBACK_ID)(partial(lift, services))


async def open_stop_form(services: Services, command: SlashCommand) -> None:
    """Open the form that records an opt-out, or say that there is one."""
    async with _replying_with_denial(services, command):
        await _require_agent(services, command.user)
        if form := await _find_customer(services, command, NOT_RECORDED, needs_x=False):
            if opt_out := await _find_opt_out(services, form):
                await services.reply(form.origin, views.already_stopped(form, opt_out))
            else:
                await open_modal(services, form.origin, command.trigger_id, views.stop_modal(form))


async def open_lift_form(services: Services, command: SlashCommand) -> None:
    """Open the form that lifts an opt-out, or say that there is none."""
    async with _replying_with_denial(services, command):
        await _require_supervisor(services, command.user)
        if form := await _find_customer(services, command, NOT_LIFTED, needs_x=True):
            if opt_out := await _find_opt_out(services, form):
                await open_modal(services, form.origin, command.trigger_id, views.lift_modal(form, opt_out))
            else:
                await services.reply(form.origin, views.not_stopped(form))


async def stop(services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Record the opt-out, and confirm it to the person; the form closes once it is committed."""
    form = _parse(body, view)
    if await _save(services, ack, form, _require_agent, partial(opt_outs.record, how=How.AGENT)):
        await services.reply(form.origin, views.stopped(form))


async def lift(services: Services, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    """Lift the opt-out, and confirm it to the person; the form closes once that is committed."""
    form = _parse(body, view)
    if await _save(services, ack, form, _require_supervisor, opt_outs.lift):
        await services.reply(form.origin, views.lifted(form))


async def _save(
    services: Services,
    ack: AsyncAck,
    form: OptOutForm,
    require_permission: Callable[[Services, str], Awaitable[None]],
    transaction: Callable[..., bool],
) -> bool:
    """Save a form and let Slack close it; or keep it open, say why, and return False."""
    origin = form.origin
    try:
        values = {"team": origin.team, "by": origin.requester, "reason": parse_reason(form.reason)}
        await require_permission(services, origin.requester)
        await save(services, transaction, _key(services, form), **values, now=services.clock())
    except (InvalidReason, PermissionDenied, DatabaseError) as problem:
        await ack(response_action="errors", errors={views.REASON_ID: explain(problem)})
        return False
    await ack()
    return True


@contextlib.asynccontextmanager
async def _replying_with_denial(services: Services, command: SlashCommand) -> AsyncIterator[None]:
    try:
        yield
    except PermissionDenied as denial:
        await services.reply(command.origin(services.clock()), plain_message(str(denial)))


async def _require_agent(services: Services, user: str) -> None:
    try:
        await services.slack.permissions.require_agent(user)
    except PermissionDenied as denial:
        raise PermissionDenied(AGENTS_ONLY.format(denial=denial)) from denial


async def _require_supervisor(services: Services, user: str) -> None:
    await services.slack.permissions.require_supervisor(user, SUPERVISORS_ONLY)


async def _find_customer(
    services: Services, command: SlashCommand, unchanged: str, *, needs_x: bool
) -> OptOutForm | None:
    """Return a form for the customer whom a command names, if there is one, with the reason that follows."""
    text, reason = split_reason(command.text)
    command_without_reason = command.model_copy(update={"text": text})
    recipient = await identify_customer(services, command_without_reason, unchanged, needs_x=needs_x)
    origin = command.origin(services.clock())
    return OptOutForm(recipient=recipient, origin=origin, reason=reason) if recipient else None


async def _find_opt_out(services: Services, form: OptOutForm) -> OptOut | None:
    return await services.database.read(opt_outs.find, _key(services, form))


def _key(services: Services, form: OptOutForm) -> str:
    return services.recipient_key(str(form.recipient.id))


def _parse(body: dict[str, Any], view: dict[str, Any]) -> OptOutForm:
    """Return a submitted form, whose origin is the person who has submitted it."""
    form, requester = views.parse(view), Interaction.model_validate(body).user
    return form.model_copy(update={"origin": form.origin.model_copy(update={"requester": requester})})

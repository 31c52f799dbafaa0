"""The ways to open the survey form: `/csat`, the message shortcut, and "Edit and try again"."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import notifications
from blocks.elements import plain_message
from blocks.survey_form import MAX_OTHER_CUSTOMERS, Form
from csat.db.survey_records import get_survey
from csat.slack_api.payloads import Interaction, SlashCommand
from csat.slack_api.text_extraction import extract_text
from csat.slack_api.user_permissions import PermissionDenied
from csat.surveys.prefill import find_external_id, find_recipients
from csat.surveys.survey import Origin
from handlers.command_args import CommandArgs
from handlers.modal_opening import open_modal
from handlers.services import Services

SHORTCUT = "send_survey"

NOT_YOURS = "Only the person who asked for this survey can change it."


def register(app: AsyncApp, services: Services) -> None:
    """Register the listeners for the shortcut and the button."""
    app.shortcut(SHORTCUT)(partial(open_from_message, services))
    app.action(notifications.EDIT_ACTION)(partial(edit_refused, services))


async def open_from_command(services: Services, command: SlashCommand, args: CommandArgs) -> None:
    """Open the form, prefilled from the arguments of `/csat`."""
    draft = services.defaults.model_copy(
        update={
            "metric": args.metric or services.defaults.metric,
            "recipient": args.recipient.label if args.recipient else "",
        }
    )
    await _open(services, command.trigger_id, Form(draft=draft, origin=command.origin(services.clock())))


async def open_from_message(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form, prefilled from the message that the shortcut was used on, or from its thread's start.

    Slack sends the start of the thread only with a reply that was also sent to the channel.
    """
    await ack()
    interaction = Interaction.model_validate(body)
    origin = interaction.origin(services.clock())
    message = body.get("message") or {}
    form = _prefill(services, origin, [extract_text(part) for part in (message, message.get("root") or {})])
    await _open(services, interaction.trigger_id, form)


async def edit_refused(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Reopen the form of a refused survey as it was filled in."""
    await ack()
    interaction = Interaction.model_validate(body)
    record = await services.database.read(get_survey, int(interaction.value or 0))
    if record is None or not record.origin.is_from(interaction.team, interaction.user):
        await services.reply(interaction.origin(services.clock()), plain_message(NOT_YOURS))
        return
    same_channel = interaction.channel == record.origin.channel
    renewed = {
        "response_url": interaction.response_url if same_channel else "",
        "received_at": services.clock(),
    }
    origin = record.origin.model_copy(update=renewed)
    form = Form(draft=record.survey.to_draft(), origin=origin, shows_options=True)
    await _open(services, interaction.trigger_id, form)


def _prefill(services: Services, origin: Origin, texts: Sequence[str]) -> Form:
    """Return the form with the customers and the ticket of the first text that has some."""
    recipients = next(filter(None, map(find_recipients, texts)), ())
    customers = [recipient.label for recipient in recipients]
    external_id = find_external_id(texts, services.ticket_patterns)
    prefilled = {
        "recipient": customers[0] if customers else "",
        "external_id": external_id or f"slack_{origin.channel}_{origin.thread}",
    }
    return Form(
        draft=services.defaults.model_copy(update=prefilled),
        origin=origin,
        other_customers=tuple(customers[: MAX_OTHER_CUSTOMERS + 1]),
        no_customer_found=not customers,
    )


async def _open(services: Services, trigger_id: str, form: Form) -> None:
    """Open the form, or tell its requester why they can't send surveys."""
    try:
        context, _ = await asyncio.gather(
            services.read_form_context(form.origin, form.draft.recipient),
            services.slack.permissions.require_agent(form.origin.requester),
        )
    except PermissionDenied as refusal:
        await services.reply(form.origin, plain_message(str(refusal)))
        return
    link = await services.link_previous(context.denial, form.origin.channel)
    form = form.with_default_variants(context.last_variants).with_denial(context.denial, link)
    await open_modal(services, form.origin, trigger_id, services.form.build(form))

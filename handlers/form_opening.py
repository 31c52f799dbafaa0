"""The ways to open the survey form: `/csat`, the message shortcut, and "Edit and try again"."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks import survey_notifications
from blocks.elements import plain_message
from blocks.form_state import Form
from blocks.survey_form import MAX_OTHER_CUSTOMERS
from csat.slack_api.message_to_text import extract_text
from csat.slack_api.payloads import Interaction, SlashCommand
from csat.slack_api.user_permissions import PermissionDenied
from csat.surveys.customers_in_message import find_external_id, find_recipients
from csat.surveys.networks import Network
from csat.surveys.origin import Origin
from csat.surveys.recipients import Recipient, SlackPerson
from handlers import slack_customers
from handlers.command_args import CommandArgs
from handlers.modal_opening import open_modal
from handlers.services import GONE, Services

SHORTCUT = "send_survey"

NOT_YOURS = "Only the person who asked for this survey can change it."


def register(app: AsyncApp, services: Services) -> None:
    """Register the listeners for the shortcut and the button."""
    app.shortcut(SHORTCUT)(partial(open_from_message, services))
    app.action(survey_notifications.EDIT_ACTION)(partial(edit_refused, services))


async def open_from_command(services: Services, command: SlashCommand, args: CommandArgs) -> None:
    """Open the form, prefilled from the arguments of `/csat`."""
    draft = services.defaults.model_copy(update={"metric": args.metric or services.defaults.metric})
    form = Form(draft=draft, origin=command.origin(services.clock()))
    await _open(services, command.trigger_id, form.with_customer(args.recipient) if args.recipient else form)


async def open_from_message(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Open the form, prefilled from the message that the shortcut was used on, or from its thread's start.

    The customer is its author, unless that is an agent or an app; else somebody on X whom it names. Slack
    sends the start of the thread only with a reply that was also sent to the channel.
    """
    await ack()
    interaction = Interaction.model_validate(body)
    origin = interaction.origin(services.clock())
    message = body.get("message") or {}
    texts = [extract_text(part) for part in (message, message.get("root") or {})]
    author = await _find_author(services, interaction)
    await _open(services, interaction.trigger_id, _prefill(services, origin, texts, author))


async def edit_refused(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Reopen the form of a refused survey as it was filled in."""
    await ack()
    interaction = Interaction.model_validate(body)
    record = await services.find_survey(interaction.value)
    if record is None or not record.origin.is_from(interaction.team, interaction.user):
        sentence = NOT_YOURS if record else GONE
        await services.reply(interaction.origin(services.clock()), plain_message(sentence))
        return
    same_channel = interaction.channel == record.origin.channel
    renewed = {
        "response_url": interaction.response_url if same_channel else "",
        "received_at": services.clock(),
    }
    origin = record.origin.model_copy(update=renewed)
    form = Form(
        draft=record.survey.to_draft(),
        origin=origin,
        edited_id=record.id,
        refusal_url=interaction.response_url,
        shows_options=True,
    )
    await _open(services, interaction.trigger_id, form.with_customer(record.survey.recipient))


async def _find_author(services: Services, interaction: Interaction) -> SlackPerson | None:
    """Return the author of a message, if they can be asked in Slack and are no agent."""
    if not interaction.author or Network.SLACK not in services.networks:
        return None
    author = SlackPerson(team=interaction.team, user=interaction.author)
    is_customer = await slack_customers.is_customer(
        services, author, interaction.user, is_external=interaction.is_author_external
    )
    return author if is_customer else None


def _prefill(services: Services, origin: Origin, texts: Sequence[str], author: SlackPerson | None) -> Form:
    """Return the form with the author or the customers, and the ticket, of the first text that has some."""
    asks_on_x = Network.X in services.networks
    named = next(filter(None, (_find_customers(services, text) for text in texts)), []) if asks_on_x else []
    customer = author or next(iter(named), None)
    prefilled = {"external_id": find_external_id(texts, services.ticket_patterns)}
    form = Form(
        draft=services.defaults.model_copy(update=prefilled),
        origin=origin,
        other_customers=tuple(recipient.label for recipient in named[: MAX_OTHER_CUSTOMERS + 1]),
        no_customer_found=customer is None,
    )
    return form.with_customer(customer) if customer else form


def _find_customers(services: Services, text: str) -> list[Recipient]:
    """Return the customers that a text names: customers' posts often name the brand's own account first."""
    return [recipient for recipient in find_recipients(text) if not services.is_own_account(recipient)]


async def _open(services: Services, trigger_id: str, form: Form) -> None:
    """Open the form, or tell its requester why they can't send surveys."""
    recipient = form.recipient
    try:
        context, unfit, _ = await asyncio.gather(
            services.read_form_context(form, recipient),
            slack_customers.find_problem(services, recipient, form.origin.requester),
            services.slack.permissions.require_agent(form.origin.requester),
        )
    except PermissionDenied as refusal:
        await services.reply(form.origin, plain_message(str(refusal)))
        return
    link = await services.link_previous(context.denial, form.origin.channel)
    form = form.with_default_variants(context.last_variants).with_denial(context.denial, link, unfit)
    form = form.model_copy(update={"is_paused": context.is_paused})
    await open_modal(services, form.origin, trigger_id, services.form.build(form))

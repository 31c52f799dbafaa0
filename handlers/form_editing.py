"""The open form: its preview, its options, and the customers that it offers."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from blocks.form_customer import USE_CUSTOMER_ACTION
from blocks.form_state import Form
from blocks.survey_form import CHECKED_FIELDS, MORE_OPTIONS_ACTION, PREVIEW_FIELDS, SWITCH_NETWORK_ACTION
from csat.slack_api.payloads import Interaction
from csat.slack_api.user_permissions import PermissionDenied
from csat.surveys.networks import Network
from csat.surveys.recipients import InvalidRecipient, parse_recipient
from handlers import slack_customers
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Register the listeners for what people change in the form."""
    for action_id in PREVIEW_FIELDS:
        app.action(action_id)(partial(update_preview, services))
    for action_id in CHECKED_FIELDS:
        app.action(action_id)(partial(check_customer, services))
    app.action(MORE_OPTIONS_ACTION)(partial(show_options, services))
    app.action(SWITCH_NETWORK_ACTION)(partial(switch_network, services))
    app.action(re.compile(f"{USE_CUSTOMER_ACTION}:"))(partial(use_customer, services))


async def update_preview(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Show what was typed in the preview."""
    await ack()
    await update_form(services, body["view"], parse_form(services, body, body["view"]))


async def show_options(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Show the fields that few people change."""
    await ack()
    form = parse_form(services, body, body["view"])
    await update_form(services, body["view"], form.model_copy(update={"shows_options": True}))


async def switch_network(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Let the customer be sought in another network, and keep what was typed."""
    await ack()
    network = Network(Interaction.model_validate(body).value or "")
    form = parse_form(services, body, body["view"])
    await update_form(services, body["view"], form.with_network(network))


async def check_customer(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Say whether the customer can be asked in the chosen way, if the person may send surveys."""
    await ack()
    form = parse_form(services, body, body["view"])
    try:
        await services.slack.permissions.require_agent(form.origin.requester)
    except PermissionDenied:
        await update_form(services, body["view"], form)
    else:
        await _update_with_denial(services, body["view"], form)


async def use_customer(services: Services, ack: AsyncAck, body: dict[str, Any]) -> None:
    """Fill in another customer that the message names, if the person may send surveys."""
    await ack()
    interaction = Interaction.model_validate(body)
    with contextlib.suppress(PermissionDenied):
        await services.slack.permissions.require_agent(interaction.user)
        form = parse_form(services, body, body["view"])
        filled_in = form.model_copy(update={"fill_count": form.fill_count + 1})
        with contextlib.suppress(InvalidRecipient):
            filled_in = filled_in.with_customer(parse_recipient(interaction.value or "", form.origin.team))
        await _update_with_denial(services, body["view"], filled_in)


def parse_form(services: Services, body: dict[str, Any], view: dict[str, Any]) -> Form:
    """Return the form, whose requester is the person who uses it now."""
    form = services.form.parse(view)
    requester = Interaction.model_validate(body).user
    return form.model_copy(update={"origin": form.origin.model_copy(update={"requester": requester})})


async def update_form(services: Services, view: Mapping[str, Any], form: Form) -> bool:
    """Update the form in Slack; return True if it shows what was built."""
    return await services.slack.views.update(view["id"], view["hash"], services.form.build(form))


async def _update_with_denial(services: Services, view: Mapping[str, Any], form: Form) -> None:
    """Show the form with the reason why its customer can't be asked now, if there is one."""
    context, unfit = await asyncio.gather(
        services.read_form_context(form, form.recipient),
        slack_customers.find_problem(services, form.recipient, form.origin.requester),
    )
    link = await services.link_previous(context.denial, form.origin.channel)
    form = form.model_copy(update={"is_paused": context.is_paused})
    await update_form(services, view, form.with_denial(context.denial, link, unfit))

"""The parts of the survey form that are about its customer: its field, and what stands below it."""

from collections.abc import Iterator
from typing import Final

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from blocks import form_inputs
from blocks.block_json import BlockDict
from blocks.elements import alert, context
from blocks.form_inputs import with_value
from blocks.form_state import Form, get_block_id
from blocks.survey_denials import denial_line, opt_out_notes
from csat.surveys.networks import Network
from csat.surveys.recipients import Recipient, SlackPerson
from csat.surveys.survey import FormField

USE_CUSTOMER_ACTION: Final = "use_customer"
"""The prefix of the action ids of the buttons that fill in another customer."""

ACCOUNT_PAUSED: Final = "X isn't accepting surveys now: this one would wait."

_NAME_THEM: Final = {
    Network.X: (
        "Paste a link to their profile on X above, or use the shortcut on the message that names them."
    ),
    Network.SLACK: "Choose them above, or use the shortcut on a message of theirs.",
}
"""Advice for a message that names no customer."""


def customer_field(form: Form) -> BlockDict:
    """Return the field for the customer; what does not fit it is left out."""
    block_id, recipient = get_block_id(FormField.RECIPIENT, form), form.recipient
    if form.shown_network is Network.SLACK:
        user = recipient.user if isinstance(recipient, SlackPerson) else ""
        return with_value(form_inputs.person(focused=not user), user, block_id=block_id)
    typed = "" if isinstance(recipient, SlackPerson) else form.draft.recipient
    return with_value(form_inputs.recipient(focused=not typed), typed, block_id=block_id)


def customer_blocks(form: Form) -> Iterator[Block]:
    """Yield what stands below the field: notices, and the other customers that the message names."""
    if form.no_customer_found and not form.draft.recipient:
        yield context(f"This message names no customer. {_NAME_THEM[form.shown_network]}")
    yield from _customer_notices(form)
    if form.is_paused and form.shown_network is Network.X and not form.is_denied:
        yield context(ACCOUNT_PAUSED)
    if others := [other for other in form.other_customers if other != form.draft.recipient]:
        yield ActionsBlock(elements=[_use_button(number, other) for number, other in enumerate(others)])


def _customer_notices(form: Form) -> Iterator[Block]:
    if form.recipient is None:
        return
    if form.is_denied:
        yield from _denial_notices(form, form.recipient)
    elif form.warned_about == form.customer:
        yield alert(
            f"{form.customer} probably doesn't accept your direct messages. "
            "To try anyway, send the form again."
        )


def _denial_notices(form: Form, customer: Recipient) -> Iterator[Block]:
    if form.unfit:
        yield alert(form.unfit)
    if form.denial:
        yield denial_line(form.denial, form.origin, form.link)
        if form.denial.opt_out:
            yield from opt_out_notes(form.denial.opt_out, customer, form.origin)


def reasons_to_stay_open(form: Form, alert_text: str) -> Iterator[Block]:
    """Yield why a submitted form is still open, to stand beside its button."""
    if alert_text:
        yield alert(alert_text, level="error")
    if form.is_denied:
        customer = "this customer" if form.shown_network is Network.SLACK else form.denied
        yield alert(f"Nothing was sent to {customer}.", level="error")
    yield from _customer_notices(form)


def _use_button(number: int, other: str) -> ButtonElement:
    return ButtonElement(
        action_id=f"{USE_CUSTOMER_ACTION}:{number}",
        text=f"Use {other}",
        value=other,
        accessibility_label=f"Fill in {other} as the customer",
    )

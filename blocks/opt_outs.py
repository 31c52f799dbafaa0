"""The forms that record and lift a customer's opt-out, and what comes of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement

from blocks.block_json import render_all
from blocks.elements import (
    Message,
    context,
    message_about,
    plain_text,
    recipient_link,
    rich_line,
    text,
)
from blocks.survey_denials import opt_out_details
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.opt_outs import MAX_REASON_LENGTH, OptOut
from csat.surveys.origin import Origin
from csat.surveys.recipients import Recipient

STOP_CALLBACK_ID: Final = "opting_out"
LIFT_CALLBACK_ID: Final = "lifting_opt_out"
REASON_ID: Final = "reason"
"""The block id and the action id of the reason."""


class OptOutForm(FrozenModel):
    """A form about one customer; without the reason it is the private metadata."""

    recipient: Recipient
    """With the id."""
    origin: Origin
    reason: str = ""


def stop_modal(form: OptOutForm) -> dict[str, Any]:
    """Return the form that records an opt-out."""
    effect = rich_line(
        text("Nobody will be able to ask "),
        recipient_link(form.recipient),
        text(
            " for feedback again. A survey to them that still waits won't be sent, and its requester is told."
        ),
    )
    reason = _reason(
        "Reason",
        "Like: they wrote that they want no surveys. Colleagues see it in /csat status.",
        form.reason,
    )
    undo = context("A supervisor can lift this with /csat unstop.")
    return _modal(form, STOP_CALLBACK_ID, "Stop surveys", [effect, reason, undo])


def lift_modal(form: OptOutForm, opt_out: OptOut) -> dict[str, Any]:
    """Return the form that lifts an opt-out."""
    effect = rich_line(
        recipient_link(form.recipient),
        text(" asked not to be surveyed. Lift this only if they agreed to be asked again."),
    )
    reason = _reason("Why it is lifted", "Like: they wrote that we may ask them again.", form.reason)
    return _modal(
        form,
        LIFT_CALLBACK_ID,
        "Allow surveys again",
        [effect, *opt_out_details(opt_out, form.origin), reason],
    )


def parse(view: Mapping[str, Any]) -> OptOutForm:
    """Return a submitted form."""
    form = OptOutForm.model_validate_json(view["private_metadata"])
    reason = view["state"]["values"][REASON_ID][REASON_ID]["value"] or ""
    return form.model_copy(update={"reason": reason})


def stopped(form: OptOutForm) -> Message:
    """Confirm that a customer won't be asked again."""
    return message_about(
        form.recipient,
        "Noted: {customer} won't be asked again. A supervisor can lift this with /csat unstop {customer}.",
    )


def already_stopped(form: OptOutForm, opt_out: OptOut) -> Message:
    """Say that an opt-out is on file, and since when."""
    message = message_about(form.recipient, "{customer} has opted out already: nobody can ask them.")
    details = opt_out_details(opt_out, form.origin)
    return message._replace(blocks=[*message.blocks, *render_all(details)])


def lifted(form: OptOutForm) -> Message:
    """Confirm that a customer can be asked again."""
    return message_about(
        form.recipient, "Lifted: {customer} can be asked again. /csat status {customer} tells from when."
    )


def not_stopped(form: OptOutForm) -> Message:
    """Say that there is no opt-out to lift."""
    return message_about(form.recipient, "Nothing to lift: {customer} has not opted out.")


def _reason(label: str, hint: str, typed: str) -> Block:
    element = PlainTextInputElement(
        action_id=REASON_ID,
        initial_value=typed[:MAX_REASON_LENGTH] or None,
        max_length=MAX_REASON_LENGTH,
        focus_on_load=True,
    )
    return InputBlock(block_id=REASON_ID, label=label, hint=hint, element=element)


def _modal(form: OptOutForm, callback_id: str, title: str, blocks: Sequence[Block]) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text(title),
        "submit": plain_text(title),
        "close": plain_text("Cancel"),
        "private_metadata": form.model_dump_json(exclude={"reason"}),
        "blocks": render_all(blocks),
    }

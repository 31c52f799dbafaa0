"""The fields of the survey form, rendered once and cached."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    StaticSelectElement,
    UrlInputElement,
    UserSelectElement,
)
from slack_sdk.models.blocks.basic_components import DispatchActionConfig

from blocks.block_json import BlockDict, render_once
from csat.surveys.questions import PLACEHOLDER, Metric
from csat.surveys.survey import MAX_DISPLAY_NAME_LENGTH, MAX_EXTERNAL_ID_LENGTH, FormField
from csat.surveys.transports import FACTS, TransportName

MAX_INITIAL_VALUE_LENGTH: Final = 3_000
"""Slack's limit for the initial value of an input; a URL can be typed longer."""
TEST: Final = "test"

_TYPING = DispatchActionConfig(trigger_actions_on=["on_character_entered"])
_ENTER = DispatchActionConfig(trigger_actions_on=["on_enter_pressed"])
"""For inputs of one line: else Enter submits the form, whose preview may not have been seen."""
_TYPING_AND_ENTER = DispatchActionConfig(trigger_actions_on=["on_character_entered", "on_enter_pressed"])
_METRICS = {
    Metric.CSAT: Option(value=Metric.CSAT, text="CSAT: a rating from 1 to 5"),
    Metric.NPS: Option(value=Metric.NPS, text="NPS: a rating from 0 to 10"),
}
_TEST_OPTION = Option(
    value=TEST,
    text="Leave this out of reports",
    description="For tests. The customer still gets the message.",
)


def question_options(templates: Mapping[int, str]) -> dict[int, BlockDict]:
    """Return the rendered options of a question menu by variant id, with "…" in place of the display name."""
    return {variant: _question_option(variant, template) for variant, template in templates.items()}


@cache
def _question_option(variant: int, template: str) -> BlockDict:
    return Option(value=str(variant), text=template.replace(PLACEHOLDER, "…")).to_dict()


def with_value(field: BlockDict, value: str, **block_properties: str) -> BlockDict:
    """Return a copy of a field with an initial value, and with other properties of its block."""
    name = "initial_user" if field["element"]["type"] == UserSelectElement.type else "initial_value"
    element = {**field["element"], name: value} if value else field["element"]
    return {**field, **block_properties, "element": element}


@render_once
def person(*, focused: bool) -> Block:
    """Return the field for the customer in Slack."""
    return InputBlock(
        label="Customer",
        dispatch_action=True,
        element=UserSelectElement(
            action_id=FormField.RECIPIENT, placeholder="Choose the customer", focus_on_load=focused
        ),
    )


@render_once
def recipient(*, focused: bool) -> Block:
    """Return the field for the customer on X."""
    return InputBlock(
        label="Customer",
        dispatch_action=True,
        element=PlainTextInputElement(
            action_id=FormField.RECIPIENT,
            placeholder="@handle, numeric ID, or a link to their profile on X",
            focus_on_load=focused,
            dispatch_action_config=_ENTER,
        ),
    )


@render_once
def metric(selected: Metric) -> Block:
    """Return the field for the metric."""
    return InputBlock(
        block_id=FormField.METRIC,
        label="Type",
        dispatch_action=True,
        element=RadioButtonsElement(
            action_id=FormField.METRIC, options=list(_METRICS.values()), initial_option=_METRICS[selected]
        ),
    )


@render_once
def transport(offered: tuple[TransportName, ...], selected: TransportName) -> Block:
    """Return the field for the transport."""
    options = {name: Option(value=name, text=FACTS[name].label) for name in offered}
    return InputBlock(
        block_id=FormField.TRANSPORT,
        label="Send as",
        dispatch_action=True,
        element=StaticSelectElement(
            action_id=FormField.TRANSPORT, options=list(options.values()), initial_option=options[selected]
        ),
    )


def variant(block_id: str, options: Iterable[BlockDict]) -> Block:
    """Return the field for the question, from rendered options; none is selected."""
    return InputBlock(
        block_id=block_id,
        label="Question",
        dispatch_action=True,
        element=StaticSelectElement(action_id=FormField.VARIANT, options=list(options)),
    )


@render_once
def display_name(*, is_filled_in: bool) -> Block:
    """Return the field for the display name, which X fills in if it is left out."""
    usual = "; leave empty to use your name on X" if is_filled_in else ""
    return InputBlock(
        block_id=FormField.DISPLAY_NAME,
        label="Display name",
        optional=is_filled_in,
        dispatch_action=True,
        hint=f"Your brand's name in the question. Up to {MAX_DISPLAY_NAME_LENGTH} characters{usual}.",
        element=PlainTextInputElement(
            action_id=FormField.DISPLAY_NAME, dispatch_action_config=_TYPING_AND_ENTER
        ),
    )


@render_once
def message(transport: TransportName) -> Block:
    """Return the field for the direct message."""
    is_alone = FACTS[transport].shows_question_in_apps_alone
    on_x = " On x.com, the customer sees only this message." if is_alone else ""
    return InputBlock(
        block_id=FormField.MESSAGE,
        label="Message",
        dispatch_action=True,
        hint=f"Sent before the question.{on_x}",
        element=PlainTextInputElement(
            action_id=FormField.MESSAGE,
            multiline=True,
            dispatch_action_config=_TYPING,
        ),
    )


@render_once
def privacy_url(*, is_optional: bool) -> Block:
    """Return the field for the URL of the privacy policy."""
    return InputBlock(
        block_id=FormField.PRIVACY_URL,
        label="Privacy policy URL",
        optional=is_optional,
        dispatch_action=True,
        element=UrlInputElement(
            action_id=FormField.PRIVACY_URL,
            placeholder="https://example.com/privacy",
            dispatch_action_config=_ENTER,
        ),
    )


@render_once
def external_id() -> Block:
    """Return the field for the external id."""
    return InputBlock(
        block_id=FormField.EXTERNAL_ID,
        label="Case number",
        optional=True,
        dispatch_action=True,
        hint=(
            "Your ticket's number or ID. Kept with the answer and shown in this channel. "
            f"Up to {MAX_EXTERNAL_ID_LENGTH} characters."
        ),
        element=PlainTextInputElement(action_id=FormField.EXTERNAL_ID, dispatch_action_config=_ENTER),
    )


@render_once
def test(checked: bool) -> Block:  # noqa: FBT001 - it is the field's value
    """Return the checkbox for a test."""
    return InputBlock(
        block_id=TEST,
        label="Test",
        optional=True,
        element=CheckboxesElement(
            action_id=TEST, options=[_TEST_OPTION], initial_options=[_TEST_OPTION] if checked else None
        ),
    )

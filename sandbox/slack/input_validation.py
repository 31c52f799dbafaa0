"""Validate the inputs of a view, as Slack's client does before it sends a submission to the app."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from sandbox.slack.interactive_elements import VALUE_FIELDS
from sandbox.slack.json_types import Json
from sandbox.slack.views import View

REQUIRED = "Please complete this required field."
URL = re.compile(r"https?://[^\s/$.?#][^\s]*\.[^\s]+", re.IGNORECASE)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def validate_inputs(view: View) -> dict[str, str]:
    """Return an error message for each invalid input, by `block_id`."""
    errors = {}
    for block in view.blocks:
        if block["type"] == "input":
            element = block["element"]
            value = view.values[block["block_id"]][element["action_id"]]
            error = _validate(block, element, value[VALUE_FIELDS[element["type"]].name])
            if error:
                errors[block["block_id"]] = error
    return errors


def _validate(block: Json, element: Json, value: object) -> str:
    if not value:
        return "" if block.get("optional") else REQUIRED
    validate = VALIDATORS.get(element["type"])
    return validate(element, str(value)) if validate else ""


def _validate_length(element: Json, value: str) -> str:
    minimum, maximum = element.get("min_length", 0), element.get("max_length", 3000)
    if len(value) < minimum:
        return f"Please enter at least {minimum} characters."
    return f"Please enter no more than {maximum} characters." if len(value) > maximum else ""


def _validate_url(element: Json, value: str) -> str:  # noqa: ARG001 - all validators take both
    return "" if URL.fullmatch(value) else "Please enter a valid URL."


def _validate_email(element: Json, value: str) -> str:  # noqa: ARG001 - all validators take both
    return "" if EMAIL.fullmatch(value) else "Please enter a valid email address."


def _validate_number(element: Json, value: str) -> str:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return "Please enter a number."
    if not element["is_decimal_allowed"] and number != int(number):
        return "Please enter a whole number."
    if "min_value" in element and number < Decimal(element["min_value"]):
        return f"Please enter a number of {element['min_value']} or more."
    if "max_value" in element and number > Decimal(element["max_value"]):
        return f"Please enter a number of {element['max_value']} or less."
    return ""


VALIDATORS: dict[str, Callable[[Json, str], str]] = {
    "plain_text_input": _validate_length,
    "url_text_input": _validate_url,
    "email_text_input": _validate_email,
    "number_input": _validate_number,
}

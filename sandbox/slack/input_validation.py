"""What Slack's own client finds wrong with a form, before anything reaches the app."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from sandbox.slack.elements import STATEFUL
from sandbox.slack.errors import Json
from sandbox.slack.views import View

REQUIRED = "Please complete this required field."
URL = re.compile(r"https?://[^\s/$.?#][^\s]*\.[^\s]+", re.IGNORECASE)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def complaints(view: View) -> dict[str, str]:
    """Return a sentence for each input that can't be submitted as it is, by `block_id`."""
    found = {}
    for block in view.blocks:
        if block["type"] == "input":
            element = block["element"]
            kept = view.values[block["block_id"]][element["action_id"]]
            sentence = _complaint(block, element, kept[STATEFUL[element["type"]].field])
            if sentence:
                found[block["block_id"]] = sentence
    return found


def _complaint(block: Json, element: Json, value: object) -> str:
    if not value:
        return "" if block.get("optional") else REQUIRED
    check = CHECKS.get(element["type"])
    return check(element, str(value)) if check else ""


def _length(element: Json, value: str) -> str:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(value) < least:
        return f"Please enter at least {least} characters."
    return f"Please enter no more than {most} characters." if len(value) > most else ""


def _url(element: Json, value: str) -> str:  # noqa: ARG001 - all checks are called alike
    return "" if URL.fullmatch(value) else "Please enter a valid URL."


def _email(element: Json, value: str) -> str:  # noqa: ARG001 - all checks are called alike
    return "" if EMAIL.fullmatch(value) else "Please enter a valid email address."


def _number(element: Json, value: str) -> str:
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


CHECKS: dict[str, Callable[[Json, str], str]] = {
    "plain_text_input": _length,
    "url_text_input": _url,
    "email_text_input": _email,
    "number_input": _number,
}

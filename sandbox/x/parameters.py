"""The parameters of `feedback/create`, checked one by one as X documents them."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.x.errors import Refusal
from sandbox.x.feedback import Kind
from sandbox.x.questions import QUESTIONS
from sandbox.x.signature import Pairs

REQUIRED = ("type", "to_user_id", "message", "privacy_url")
MESSAGE_LIMIT = 10_000
EXTERNAL_ID_LIMIT = 256
DISPLAY_NAME_LIMIT = 20

TOO_LONG = (403, 354, "The text of your direct message is over the max character limit.")

_ID = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True)
class Order:
    """What a good request asks X to send."""

    type: Kind
    to_user_id: str
    message: str
    privacy_url: str
    external_id: str | None
    question_variant_id: str
    display_name: str | None
    test: bool


def parse(pairs: Pairs) -> Order:
    """Check every parameter, and raise Refusal on the first that X would not take.

    Missing or blank: 403 / 38; a message too long: 403 / 354; anything else: 400 / 44.
    """
    given = unique(pairs)
    for name in REQUIRED:
        if not given.get(name, "").strip():
            raise Refusal(403, 38, f"{name} parameter is missing.")
    for name, value in given.items():
        if name not in _RULES:
            raise invalid(name, "it is unknown")
        if problem := _RULES[name](value, given):
            raise invalid(name, problem)
    if len(given["message"]) > MESSAGE_LIMIT:
        raise Refusal(*TOO_LONG)
    return _order(given)


def unique(pairs: Pairs) -> dict[str, str]:
    """Read name and value pairs; X takes no name twice."""
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise invalid(name, "it is given twice")
    return dict(pairs)


def invalid(name: str, problem: str) -> Refusal:
    """Refuse a parameter by name, with 400 / 44."""
    return Refusal(400, 44, f"{name} parameter is invalid: {problem}.")


def _order(given: Mapping[str, str]) -> Order:
    return Order(
        type=Kind(given["type"]),
        to_user_id=given["to_user_id"],
        message=given["message"],
        privacy_url=given["privacy_url"],
        external_id=given.get("external_id"),
        question_variant_id=given.get("question_variant_id", "0"),
        display_name=given.get("display_name"),
        test=given.get("test") == "true",
    )


def _web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not re.search(r"\s", value)


def _rule(holds: Callable[[str], bool], problem: str) -> Callable[[str, Mapping[str, str]], str]:
    return lambda value, _: "" if holds(value) else problem


def _variant(value: str, given: Mapping[str, str]) -> str:
    kind = given["type"]
    known = kind in set(Kind) and value in QUESTIONS[Kind(kind)]
    return "" if known else f"it is no question variant of {kind}"


_RULES: dict[str, Callable[[str, Mapping[str, str]], str]] = {
    "type": _rule(lambda value: value in set(Kind), "it must be csat or nps"),
    "to_user_id": _rule(lambda value: bool(_ID.fullmatch(value)), "it must be digits"),
    "message": _rule(bool, "it is empty"),
    "privacy_url": _rule(_web_address, "it must be an http or https address"),
    "external_id": _rule(
        lambda value: 0 < len(value) <= EXTERNAL_ID_LIMIT, f"it must have 1 to {EXTERNAL_ID_LIMIT} characters"
    ),
    "question_variant_id": _variant,
    "display_name": _rule(
        lambda value: bool(value.strip()) and len(value) <= DISPLAY_NAME_LIMIT,
        f"it must have 1 to {DISPLAY_NAME_LIMIT} characters",
    ),
    "test": _rule(lambda value: value in {"true", "false"}, "it must be true or false"),
}

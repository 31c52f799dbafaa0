"""The parameters of `feedback/create`, validated as documented by X."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.x.errors import ApiError
from sandbox.x.feedback_card import FeedbackType
from sandbox.x.oauth_verification import Pairs
from sandbox.x.questions import QUESTIONS

REQUIRED_PARAMETERS = ("type", "to_user_id", "message", "privacy_url")
MAX_MESSAGE_LENGTH = 10_000
MAX_EXTERNAL_ID_LENGTH = 256
MAX_DISPLAY_NAME_LENGTH = 20

MESSAGE_TOO_LONG = (403, 354, "The text of your direct message is over the max character limit.")

_ID = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True)
class CreateParams:
    """Valid parameters of `feedback/create`."""

    type: FeedbackType
    to_user_id: str
    message: str
    privacy_url: str
    external_id: str | None
    question_variant_id: str
    display_name: str | None
    test: bool


def parse_create_params(pairs: Pairs) -> CreateParams:
    """Parse the form of `feedback/create`; raise ApiError for the first invalid parameter.

    A missing or blank parameter is 403 / 38, a message too long 403 / 354, anything else 400 / 44.
    """
    params = parse_params(pairs)
    for name in REQUIRED_PARAMETERS:
        if not params.get(name, "").strip():
            raise ApiError(403, 38, f"{name} parameter is missing.")
    for name, value in params.items():
        if name not in _RULES:
            raise invalid_parameter(name, "unknown parameter")
        if problem := _RULES[name](value, params):
            raise invalid_parameter(name, problem)
    if len(params["message"]) > MAX_MESSAGE_LENGTH:
        raise ApiError(*MESSAGE_TOO_LONG)
    return _build_create_params(params)


def parse_params(pairs: Pairs) -> dict[str, str]:
    """Return parameters by name; raise ApiError for a duplicate."""
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise invalid_parameter(name, "given more than once")
    return dict(pairs)


def invalid_parameter(name: str, problem: str) -> ApiError:
    """Return the error for an invalid parameter, 400 / 44."""
    return ApiError(400, 44, f"{name} parameter is invalid: {problem}.")


def _build_create_params(params: Mapping[str, str]) -> CreateParams:
    return CreateParams(
        type=FeedbackType(params["type"]),
        to_user_id=params["to_user_id"],
        message=params["message"],
        privacy_url=params["privacy_url"],
        external_id=params.get("external_id"),
        question_variant_id=params.get("question_variant_id", "0"),
        display_name=params.get("display_name"),
        test=params.get("test") == "true",
    )


def _is_web_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not re.search(r"\s", value)


def _rule(is_valid: Callable[[str], bool], problem: str) -> Callable[[str, Mapping[str, str]], str]:
    return lambda value, _: "" if is_valid(value) else problem


def _check_variant(value: str, params: Mapping[str, str]) -> str:
    feedback_type = params["type"]
    is_known = feedback_type in set(FeedbackType) and value in QUESTIONS[FeedbackType(feedback_type)]
    return "" if is_known else f"not a question variant of {feedback_type}"


_RULES: dict[str, Callable[[str, Mapping[str, str]], str]] = {
    "type": _rule(lambda value: value in set(FeedbackType), "must be csat or nps"),
    "to_user_id": _rule(lambda value: bool(_ID.fullmatch(value)), "must be digits"),
    "message": _rule(bool, "must not be empty"),
    "privacy_url": _rule(_is_web_url, "must be an http or https URL"),
    "external_id": _rule(
        lambda value: 0 < len(value) <= MAX_EXTERNAL_ID_LENGTH,
        f"must have 1 to {MAX_EXTERNAL_ID_LENGTH} characters",
    ),
    "question_variant_id": _check_variant,
    "display_name": _rule(
        lambda value: bool(value.strip()) and len(value) <= MAX_DISPLAY_NAME_LENGTH,
        f"must have 1 to {MAX_DISPLAY_NAME_LENGTH} characters",
    ),
    "test": _rule(lambda value: value in {"true", "false"}, "must be true or false"),
}
"""Checks by parameter; each returns the problem, or an empty string."""

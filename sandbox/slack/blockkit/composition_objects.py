"""Composition objects: https://docs.slack.dev/reference/block-kit/composition-objects."""

from collections.abc import Iterator

from sandbox.slack.blockkit.json_validators import (
    Validator,
    array,
    boolean,
    by_type,
    exactly_one_of,
    json_object,
    one_of,
    problem,
    string,
)
from sandbox.slack.interactive_elements import all_options
from sandbox.slack.json_types import Json

BLOCK_ID: dict[str, Validator] = {"block_id": string(255)}
"""The optional field of all blocks."""
URL = string(3000)
ACTION_ID = string(255)
MAX_OPTIONS = 100
MAX_OPTION_GROUPS = 100
MAX_CHOICES = 10
"""The limit for the options of radio buttons and checkboxes."""


def plain_text(max_length: int) -> Validator:
    """Return a validator for a `plain_text` object."""
    return by_type({"plain_text": _plain_text(max_length)})


def text(max_length: int) -> Validator:
    """Return a validator for a `plain_text` or `mrkdwn` object."""
    mrkdwn = json_object({"text": string(max_length)}, {"verbatim": boolean})
    return by_type({"plain_text": _plain_text(max_length), "mrkdwn": mrkdwn})


def _plain_text(max_length: int) -> Validator:
    return json_object({"text": string(max_length)}, {"emoji": boolean})


CONFIRM = json_object(
    {"title": plain_text(100), "text": text(300), "confirm": plain_text(30), "deny": plain_text(30)},
    {"style": one_of("primary", "danger")},
)
OPTION = json_object({"text": plain_text(75), "value": string(150)}, {"description": plain_text(75)})
OVERFLOW_OPTION = json_object(
    {"text": plain_text(75), "value": string(150)}, {"description": plain_text(75), "url": URL}
)
CHOICE = json_object({"text": text(75), "value": string(150)}, {"description": text(75)})
"""An option of radio buttons or checkboxes."""
OPTION_GROUP = json_object({"label": plain_text(75), "options": array(OPTION, MAX_OPTIONS)})
PLACEHOLDER = plain_text(150)
DISPATCH_ACTION_CONFIG = json_object(
    {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 2)},
)
CONVERSATION_FILTER = json_object(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
SLACK_FILE = json_object({}, {"id": string(255), "url": URL}, exactly_one_of("id", "url"))


def check_initial_options(element: Json, pointer: str) -> Iterator[str]:
    """Check that the initial options are among the options, with all their fields."""
    options = all_options(element)
    initial_option = element.get("initial_option")
    initial_options = [initial_option] if initial_option else element.get("initial_options") or []
    for option in initial_options:
        if option not in options:
            name = "initial_option" if initial_option else "initial_options"
            yield problem("initial option not found among the options", f"{pointer}/{name}")

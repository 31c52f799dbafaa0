"""Composition objects: https://docs.slack.dev/reference/block-kit/composition-objects."""

from collections.abc import Iterator

from sandbox.slack.blockkit.validators import (
    Rule,
    boolean,
    by_type,
    exactly,
    items,
    only,
    record,
    string,
    wrong,
)
from sandbox.slack.elements import all_options
from sandbox.slack.json_types import Json

URL = string(3000)
ACTION_ID = string(255)
OPTIONS = 100
GROUPS = 100
CHOICES = 10
"""How many radio buttons or checkboxes stand in one group."""


def plain(most: int) -> Rule:
    """Allow plain text of so many characters."""
    return by_type({"plain_text": record({"text": string(most)}, {"emoji": boolean})})


def text(most: int) -> Rule:
    """Allow plain text or mrkdwn of so many characters."""
    mrkdwn = record({"text": string(most)}, {"verbatim": boolean})
    return by_type({"plain_text": record({"text": string(most)}, {"emoji": boolean}), "mrkdwn": mrkdwn})


CONFIRM = record(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": exactly("primary", "danger")},
)
OPTION = record({"text": plain(75), "value": string(150)}, {"description": plain(75)})
OVERFLOW_OPTION = record({"text": plain(75), "value": string(150)}, {"description": plain(75), "url": URL})
CHOICE = record({"text": text(75), "value": string(150)}, {"description": text(75)})
GROUP = record({"label": plain(75), "options": items(OPTION, OPTIONS)})
PLACEHOLDER = plain(150)
DISPATCH = record(
    {"trigger_actions_on": items(exactly("on_enter_pressed", "on_character_entered"), 2)},
)
FILTER = record(
    {},
    {
        "include": items(exactly("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
SLACK_FILE = record({}, {"id": string(255), "url": URL}, only("id", "url"))


def initial_is_among_options(element: Json, at: str) -> Iterator[str]:
    """Demand that what is chosen at first is one of the options, in every field."""
    options = all_options(element)
    first = element.get("initial_option")
    initial = [first] if first else element.get("initial_options") or []
    for option in initial:
        if option not in options:
            name = "initial_option" if first else "initial_options"
            yield wrong("initial option not found among the options", f"{at}/{name}")

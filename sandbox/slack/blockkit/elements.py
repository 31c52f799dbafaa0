"""Interactive elements: https://docs.slack.dev/reference/block-kit/block-elements."""

from collections.abc import Callable, Iterator

from sandbox.slack.blockkit.objects import (
    ACTION_ID,
    CHOICE,
    CHOICES,
    CONFIRM,
    DISPATCH,
    FILTER,
    GROUP,
    GROUPS,
    OPTION,
    OPTIONS,
    OVERFLOW_OPTION,
    PLACEHOLDER,
    SLACK_FILE,
    URL,
    initial_is_among_options,
    plain,
)
from sandbox.slack.blockkit.validators import (
    Rule,
    anything,
    boolean,
    exactly,
    integer,
    items,
    only,
    record,
    string,
    wrong,
)
from sandbox.slack.json_types import Json

TYPED = 3000
"""The longest text that a person can type into an input."""

Check = Callable[[Json, str], Iterator[str]]


def _interactive(required: dict[str, Rule], optional: dict[str, Rule], *checks: Check) -> Rule:
    return record(required, {"action_id": ACTION_ID, "confirm": CONFIRM, **optional}, *checks)


def _select(required: dict[str, Rule], optional: dict[str, Rule], *checks: Check) -> Rule:
    common = {"placeholder": PLACEHOLDER, "focus_on_load": boolean}
    return _interactive(required, {**common, **optional}, *checks)


def _input(optional: dict[str, Rule], *checks: Check) -> Rule:
    common = {"placeholder": PLACEHOLDER, "focus_on_load": boolean, "dispatch_action_config": DISPATCH}
    return record({}, {"action_id": ACTION_ID, **common, **optional}, *checks)


def _lengths_agree(element: Json, at: str) -> Iterator[str]:
    least, most = element.get("min_length", 0), element.get("max_length", TYPED)
    if least > most:
        yield wrong("`min_length` must not be greater than `max_length`", at)
    initial = element.get("initial_value")
    if initial and not least <= len(initial) <= most:
        yield wrong(f"must be between {least} and {most} characters", f"{at}/initial_value")


MANY = {"max_selected_items": integer(1, 100)}
STATIC = {"options": items(OPTION, OPTIONS), "option_groups": items(GROUP, GROUPS)}
EXTERNAL = {"min_query_length": integer(0, 100)}
CONVERSATIONS = {"default_to_current_conversation": boolean, "filter": FILTER}
REPLIES = {"response_url_enabled": boolean}
CHOSEN = items(OPTION, OPTIONS)
IDS = items(string(255), 100)

SELECTS: dict[str, Rule] = {
    "static_select": _select(
        {},
        {**STATIC, "initial_option": OPTION},
        only("options", "option_groups"),
        initial_is_among_options,
    ),
    "external_select": _select({}, {**EXTERNAL, "initial_option": OPTION}),
    "users_select": _select({}, {"initial_user": string(255)}),
    "conversations_select": _select({}, {**CONVERSATIONS, **REPLIES, "initial_conversation": string(255)}),
    "channels_select": _select({}, {**REPLIES, "initial_channel": string(255)}),
}

MULTI_SELECTS: dict[str, Rule] = {
    "multi_static_select": _select(
        {},
        {**STATIC, **MANY, "initial_options": CHOSEN},
        only("options", "option_groups"),
        initial_is_among_options,
    ),
    "multi_external_select": _select({}, {**EXTERNAL, **MANY, "initial_options": CHOSEN}),
    "multi_users_select": _select({}, {**MANY, "initial_users": IDS}),
    "multi_conversations_select": _select({}, {**CONVERSATIONS, **MANY, "initial_conversations": IDS}),
    "multi_channels_select": _select({}, {**MANY, "initial_channels": IDS}),
}

GROUPS_OF_CHOICES: dict[str, Rule] = {
    "radio_buttons": _interactive(
        {"options": items(CHOICE, CHOICES)},
        {"initial_option": CHOICE, "focus_on_load": boolean},
        initial_is_among_options,
    ),
    "checkboxes": _interactive(
        {"options": items(CHOICE, CHOICES)},
        {"initial_options": items(CHOICE, CHOICES), "focus_on_load": boolean},
        initial_is_among_options,
    ),
}

PICKERS: dict[str, Rule] = {
    "datepicker": _select({}, {"initial_date": string(10)}),
    "timepicker": _select({}, {"initial_time": string(5), "timezone": string(255)}),
}
DATETIME: dict[str, Rule] = {
    "datetimepicker": _interactive(
        {}, {"initial_date_time": integer(0, 9_999_999_999), "focus_on_load": boolean}
    ),
}

BUTTON_STYLE = exactly("primary", "danger")
BUTTON: Rule = _interactive(
    {"text": plain(75)},
    {"url": URL, "value": string(2000), "style": BUTTON_STYLE, "accessibility_label": string(75)},
)
BUTTONS: dict[str, Rule] = {
    "button": BUTTON,
    "workflow_button": record(
        {"text": plain(75), "workflow": anything},
        {"action_id": ACTION_ID, "style": BUTTON_STYLE, "accessibility_label": string(75)},
    ),
    "overflow": _interactive({"options": items(OVERFLOW_OPTION, 5)}, {}),
}

FEEDBACK = record({"text": plain(75), "value": string(2000)}, {"accessibility_label": string(75)})
CONTEXT_BUTTONS: dict[str, Rule] = {
    "feedback_buttons": record(
        {"positive_button": FEEDBACK, "negative_button": FEEDBACK}, {"action_id": ACTION_ID}
    ),
    "icon_button": _interactive(
        {"icon": exactly("trash"), "text": plain(75)},
        {"value": string(2000), "accessibility_label": string(75), "visible_to_user_ids": IDS},
    ),
}

TEXT_INPUTS: dict[str, Rule] = {
    "plain_text_input": _input(
        {
            "initial_value": string(TYPED, 0),
            "multiline": boolean,
            "min_length": integer(0, TYPED),
            "max_length": integer(1, TYPED),
        },
        _lengths_agree,
    ),
    "email_text_input": _input({"initial_value": string(TYPED)}),
    "url_text_input": _input({"initial_value": string(TYPED)}),
    "number_input": record(
        {"is_decimal_allowed": boolean},
        {
            "action_id": ACTION_ID,
            "placeholder": PLACEHOLDER,
            "focus_on_load": boolean,
            "dispatch_action_config": DISPATCH,
            "initial_value": string(255),
            "min_value": string(255),
            "max_value": string(255),
        },
    ),
    "rich_text_input": _input({"initial_value": anything}),
}
FILES: dict[str, Rule] = {
    "file_input": record(
        {},
        {"action_id": ACTION_ID, "filetypes": items(string(255), 100), "max_files": integer(1, 10)},
    ),
}

IMAGE = record(
    {"alt_text": string(2000)},
    {"image_url": URL, "slack_file": SLACK_FILE},
    only("image_url", "slack_file"),
)

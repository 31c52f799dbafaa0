"""Interactive elements: https://docs.slack.dev/reference/block-kit/block-elements."""

from collections.abc import Iterator

from sandbox.slack.blockkit.composition_objects import (
    ACTION_ID,
    CHOICE,
    CONFIRM,
    CONVERSATION_FILTER,
    DISPATCH_ACTION_CONFIG,
    MAX_CHOICES,
    MAX_OPTION_GROUPS,
    MAX_OPTIONS,
    OPTION,
    OPTION_GROUP,
    OVERFLOW_OPTION,
    PLACEHOLDER,
    SLACK_FILE,
    URL,
    check_initial_options,
    plain_text,
)
from sandbox.slack.blockkit.json_validators import (
    ObjectCheck,
    Validator,
    any_value,
    array,
    boolean,
    exactly_one_of,
    integer,
    json_object,
    one_of,
    problem,
    string,
)
from sandbox.slack.json_types import Json

MAX_INPUT_CHARACTERS = 3000
"""The limit for text inputs."""


def _interactive(
    required: dict[str, Validator], optional: dict[str, Validator], *checks: ObjectCheck
) -> Validator:
    return json_object(required, {"action_id": ACTION_ID, "confirm": CONFIRM, **optional}, *checks)


def _select(
    required: dict[str, Validator], optional: dict[str, Validator], *checks: ObjectCheck
) -> Validator:
    common = {"placeholder": PLACEHOLDER, "focus_on_load": boolean}
    return _interactive(required, {**common, **optional}, *checks)


def _input(optional: dict[str, Validator], *checks: ObjectCheck) -> Validator:
    common = {
        "placeholder": PLACEHOLDER,
        "focus_on_load": boolean,
        "dispatch_action_config": DISPATCH_ACTION_CONFIG,
    }
    return json_object({}, {"action_id": ACTION_ID, **common, **optional}, *checks)


def _check_lengths(element: Json, pointer: str) -> Iterator[str]:
    minimum, maximum = element.get("min_length", 0), element.get("max_length", MAX_INPUT_CHARACTERS)
    if minimum > maximum:
        yield problem("`min_length` must not be greater than `max_length`", pointer)
    initial = element.get("initial_value")
    if initial and not minimum <= len(initial) <= maximum:
        yield problem(f"must be between {minimum} and {maximum} characters", f"{pointer}/initial_value")


MULTI_SELECT_FIELDS = {"max_selected_items": integer(1, 100)}
OPTION_FIELDS = {
    "options": array(OPTION, MAX_OPTIONS),
    "option_groups": array(OPTION_GROUP, MAX_OPTION_GROUPS),
}
EXTERNAL_FIELDS = {"min_query_length": integer(0, 100)}
CONVERSATION_FIELDS = {"default_to_current_conversation": boolean, "filter": CONVERSATION_FILTER}
RESPONSE_URL_FIELDS = {"response_url_enabled": boolean}
INITIAL_OPTIONS = array(OPTION, MAX_OPTIONS)
IDS = array(string(255), 100)

SELECTS: dict[str, Validator] = {
    "static_select": _select(
        {},
        {**OPTION_FIELDS, "initial_option": OPTION},
        exactly_one_of("options", "option_groups"),
        check_initial_options,
    ),
    "external_select": _select({}, {**EXTERNAL_FIELDS, "initial_option": OPTION}),
    "users_select": _select({}, {"initial_user": string(255)}),
    "conversations_select": _select(
        {}, {**CONVERSATION_FIELDS, **RESPONSE_URL_FIELDS, "initial_conversation": string(255)}
    ),
    "channels_select": _select({}, {**RESPONSE_URL_FIELDS, "initial_channel": string(255)}),
}

MULTI_SELECTS: dict[str, Validator] = {
    "multi_static_select": _select(
        {},
        {**OPTION_FIELDS, **MULTI_SELECT_FIELDS, "initial_options": INITIAL_OPTIONS},
        exactly_one_of("options", "option_groups"),
        check_initial_options,
    ),
    "multi_external_select": _select(
        {}, {**EXTERNAL_FIELDS, **MULTI_SELECT_FIELDS, "initial_options": INITIAL_OPTIONS}
    ),
    "multi_users_select": _select({}, {**MULTI_SELECT_FIELDS, "initial_users": IDS}),
    "multi_conversations_select": _select(
        {}, {**CONVERSATION_FIELDS, **MULTI_SELECT_FIELDS, "initial_conversations": IDS}
    ),
    "multi_channels_select": _select({}, {**MULTI_SELECT_FIELDS, "initial_channels": IDS}),
}

CHOICE_LISTS: dict[str, Validator] = {
    "radio_buttons": _interactive(
        {"options": array(CHOICE, MAX_CHOICES)},
        {"initial_option": CHOICE, "focus_on_load": boolean},
        check_initial_options,
    ),
    "checkboxes": _interactive(
        {"options": array(CHOICE, MAX_CHOICES)},
        {"initial_options": array(CHOICE, MAX_CHOICES), "focus_on_load": boolean},
        check_initial_options,
    ),
}

PICKERS: dict[str, Validator] = {
    "datepicker": _select({}, {"initial_date": string(10)}),
    "timepicker": _select({}, {"initial_time": string(5), "timezone": string(255)}),
}
DATETIME_PICKER: dict[str, Validator] = {
    "datetimepicker": _interactive(
        {}, {"initial_date_time": integer(0, 9_999_999_999), "focus_on_load": boolean}
    ),
}

BUTTON_STYLE = one_of("primary", "danger")
BUTTON: Validator = _interactive(
    {"text": plain_text(75)},
    {"url": URL, "value": string(2000), "style": BUTTON_STYLE, "accessibility_label": string(75)},
)
BUTTONS: dict[str, Validator] = {
    "button": BUTTON,
    "workflow_button": json_object(
        {"text": plain_text(75), "workflow": any_value},
        {"action_id": ACTION_ID, "style": BUTTON_STYLE, "accessibility_label": string(75)},
    ),
    "overflow": _interactive({"options": array(OVERFLOW_OPTION, 5)}, {}),
}

FEEDBACK_BUTTON = json_object(
    {"text": plain_text(75), "value": string(2000)}, {"accessibility_label": string(75)}
)
CONTEXT_BUTTONS: dict[str, Validator] = {
    "feedback_buttons": json_object(
        {"positive_button": FEEDBACK_BUTTON, "negative_button": FEEDBACK_BUTTON}, {"action_id": ACTION_ID}
    ),
    "icon_button": _interactive(
        {"icon": one_of("trash"), "text": plain_text(75)},
        {"value": string(2000), "accessibility_label": string(75), "visible_to_user_ids": IDS},
    ),
}

TEXT_INPUTS: dict[str, Validator] = {
    "plain_text_input": _input(
        {
            "initial_value": string(MAX_INPUT_CHARACTERS, 0),
            "multiline": boolean,
            "min_length": integer(0, MAX_INPUT_CHARACTERS),
            "max_length": integer(1, MAX_INPUT_CHARACTERS),
        },
        _check_lengths,
    ),
    "email_text_input": _input({"initial_value": string(MAX_INPUT_CHARACTERS)}),
    "url_text_input": _input({"initial_value": string(MAX_INPUT_CHARACTERS)}),
    "number_input": json_object(
        {"is_decimal_allowed": boolean},
        {
            "action_id": ACTION_ID,
            "placeholder": PLACEHOLDER,
            "focus_on_load": boolean,
            "dispatch_action_config": DISPATCH_ACTION_CONFIG,
            "initial_value": string(255),
            "min_value": string(255),
            "max_value": string(255),
        },
    ),
    "rich_text_input": _input({"initial_value": any_value}),
}
FILES: dict[str, Validator] = {
    "file_input": json_object(
        {},
        {"action_id": ACTION_ID, "filetypes": array(string(255), 100), "max_files": integer(1, 10)},
    ),
}

IMAGE = json_object(
    {"alt_text": string(2000)},
    {"image_url": URL, "slack_file": SLACK_FILE},
    exactly_one_of("image_url", "slack_file"),
)

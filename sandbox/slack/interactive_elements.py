"""Interactive elements: find them in blocks, and compute their values in `state.values`."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time

from sandbox.slack.errors import SlackError
from sandbox.slack.json_types import Json, StateValues

MAX_SELECTED_ITEMS = 100


@dataclass(frozen=True)
class ValueField:
    """The fields of an element type that hold its value, and what the value is."""

    name: str
    """The field in `state.values`."""
    initial: str
    """The element's field with the initial value."""
    is_list: bool = False
    is_option: bool = False


TEXT = ValueField("value", "initial_value")
OPTION = ValueField("selected_option", "initial_option", is_option=True)
OPTION_LIST = ValueField("selected_options", "initial_options", is_list=True, is_option=True)

VALUE_FIELDS: dict[str, ValueField] = {
    "plain_text_input": TEXT,
    "email_text_input": TEXT,
    "url_text_input": TEXT,
    "number_input": TEXT,
    "rich_text_input": ValueField("rich_text_value", "initial_value"),
    "file_input": ValueField("files", "initial_files", is_list=True),
    "static_select": OPTION,
    "external_select": OPTION,
    "radio_buttons": OPTION,
    "multi_static_select": OPTION_LIST,
    "multi_external_select": OPTION_LIST,
    "checkboxes": OPTION_LIST,
    "users_select": ValueField("selected_user", "initial_user"),
    "multi_users_select": ValueField("selected_users", "initial_users", is_list=True),
    "conversations_select": ValueField("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ValueField("selected_conversations", "initial_conversations", is_list=True),
    "channels_select": ValueField("selected_channel", "initial_channel"),
    "multi_channels_select": ValueField("selected_channels", "initial_channels", is_list=True),
    "datepicker": ValueField("selected_date", "initial_date"),
    "timepicker": ValueField("selected_time", "initial_time"),
    "datetimepicker": ValueField("selected_date_time", "initial_date_time"),
}
"""The elements that have a value."""

NESTED_BLOCKS = {"container": "child_blocks", "carousel": "elements"}
"""Block types that contain blocks, and the field that holds them."""

PARSERS: dict[str, Callable[[str], object]] = {
    "datepicker": date.fromisoformat,
    "timepicker": time.fromisoformat,
    "datetimepicker": int,
}


def all_options(element: Json) -> list[Json]:
    """Return the options of an element, including those in option groups."""
    groups = element.get("option_groups") or [{"options": element.get("options") or []}]
    return [option for group in groups for option in group["options"]]


def iter_blocks(blocks: list[Json]) -> Iterator[Json]:
    """Yield blocks, including nested ones."""
    for block in blocks:
        yield block
        if nested := NESTED_BLOCKS.get(block["type"]):
            yield from iter_blocks(block[nested])


def interactive_elements(block: Json) -> list[Json]:
    """Return the interactive elements of a block."""
    match block["type"]:
        case "actions" | "context_actions":
            return list(block["elements"])
        case "card":
            return list(block.get("actions") or [])
        case "section" if block.get("accessory", {}).get("type") != "image":
            return [block["accessory"]] if "accessory" in block else []
        case "input":
            return [block["element"]]
        case _:
            return []


def find_element(blocks: list[Json], action_id: str, block_id: str = "") -> tuple[Json, Json]:
    """Return the block and the element with this `action_id`; raises `SlackError("not_found")`."""
    for block in iter_blocks(blocks):
        for element in interactive_elements(block):
            if element["action_id"] == action_id and block_id in {"", block["block_id"]}:
                return block, element
    raise SlackError("not_found", f"There is no element {action_id!r}.")


def add_missing_ids(blocks: list[Json], new_id: Callable[[], str]) -> list[Json]:
    """Return a copy of blocks in which every block and interactive element has an id, as Slack does."""
    blocks = copy.deepcopy(blocks)
    for block in iter_blocks(blocks):
        block["block_id"] = block.get("block_id") or new_id()
        for element in interactive_elements(block):
            element["action_id"] = element.get("action_id") or new_id()
    return blocks


def initial_value(element: Json, conversation: str = "") -> Json:
    """Return the value of an untouched element; `conversation` is where the view was opened."""
    field = VALUE_FIELDS[element["type"]]
    value = element.get(field.initial)
    if value is None and element.get("default_to_current_conversation") and conversation:
        value = [conversation] if field.is_list else conversation
    return _value(element, value)


def state_values(
    blocks: list[Json], previous: StateValues | None = None, conversation: str = ""
) -> StateValues:
    """Return the values of all elements: previous ones where the element stays, else initial ones."""
    values: StateValues = {}
    for block in iter_blocks(blocks):
        for element in interactive_elements(block):
            if element["type"] in VALUE_FIELDS:
                block_id, action_id = block["block_id"], element["action_id"]
                value = (previous or {}).get(block_id, {}).get(action_id, {})
                if value.get("type") != element["type"]:
                    value = initial_value(element, conversation)
                values.setdefault(block_id, {})[action_id] = value
    return values


def find_option(options: list[Json], value: object) -> Json:
    """Return the option with this value; raises `SlackError("invalid_option")`."""
    for option in options:
        if option["value"] == value:
            return option
    raise SlackError("invalid_option", f"There is no option {value!r}.")


def selected_value(element: Json, choice: str | list[str] | None, loaded_options: list[Json]) -> Json:
    """Return the value of an element after a selection; None clears it."""
    field = VALUE_FIELDS[element["type"]]
    choices = [choice] if isinstance(choice, str) else choice or []
    if len(choices) > (element.get("max_selected_items", MAX_SELECTED_ITEMS) if field.is_list else 1):
        raise SlackError("too_many_options", "No more options can be selected.")
    if field.is_option:
        options = [*all_options(element), *loaded_options]
        selected: list[object] = [find_option(options, value) for value in choices]
    else:
        selected = [_parse_value(element, value) for value in choices]
    return _value(element, selected if field.is_list else next(iter(selected), None))


def _value(element: Json, value: object) -> Json:
    field = VALUE_FIELDS[element["type"]]
    return {"type": element["type"], field.name: [] if value is None and field.is_list else value}


def _parse_value(element: Json, value: str) -> object:
    parse = PARSERS.get(element["type"], str)
    try:
        parsed = parse(value)
    except ValueError:
        raise SlackError("invalid_value", f"{value!r} can't be selected here.") from None
    return parsed if isinstance(parsed, int) else value

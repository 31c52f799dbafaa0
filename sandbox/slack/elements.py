"""Where the interactive elements stand in blocks, and what each keeps of what a person chooses or types."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time

from sandbox.slack.errors import Json, SlackError

Values = dict[str, dict[str, Json]]
"""What is chosen and typed, by `block_id` and `action_id`, as in `state.values`."""


@dataclass(frozen=True)
class Kept:
    """How an element stands in `state.values`."""

    field: str
    initial: str
    many: bool = False
    options: bool = False


TYPED = Kept("value", "initial_value")
STATEFUL: dict[str, Kept] = {
    "plain_text_input": TYPED,
    "email_text_input": TYPED,
    "url_text_input": TYPED,
    "number_input": TYPED,
    "rich_text_input": Kept("rich_text_value", "initial_value"),
    "file_input": Kept("files", "initial_files", many=True),
    "static_select": Kept("selected_option", "initial_option", options=True),
    "external_select": Kept("selected_option", "initial_option", options=True),
    "radio_buttons": Kept("selected_option", "initial_option", options=True),
    "multi_static_select": Kept("selected_options", "initial_options", many=True, options=True),
    "multi_external_select": Kept("selected_options", "initial_options", many=True, options=True),
    "checkboxes": Kept("selected_options", "initial_options", many=True, options=True),
    "users_select": Kept("selected_user", "initial_user"),
    "multi_users_select": Kept("selected_users", "initial_users", many=True),
    "conversations_select": Kept("selected_conversation", "initial_conversation"),
    "multi_conversations_select": Kept("selected_conversations", "initial_conversations", many=True),
    "channels_select": Kept("selected_channel", "initial_channel"),
    "multi_channels_select": Kept("selected_channels", "initial_channels", many=True),
    "datepicker": Kept("selected_date", "initial_date"),
    "timepicker": Kept("selected_time", "initial_time"),
    "datetimepicker": Kept("selected_date_time", "initial_date_time"),
}
NESTING = {"container": "child_blocks", "carousel": "elements"}
"""Blocks that hold blocks, and in which field."""

READERS: dict[str, Callable[[str], object]] = {
    "datepicker": date.fromisoformat,
    "timepicker": time.fromisoformat,
    "datetimepicker": int,
}


def all_options(element: Json) -> list[Json]:
    """Return the options of an element, those of its groups included."""
    groups = element.get("option_groups") or [{"options": element.get("options") or []}]
    return [option for group in groups for option in group["options"]]


def iter_blocks(blocks: list[Json]) -> Iterator[Json]:
    """Yield blocks and those inside containers."""
    for block in blocks:
        yield block
        if inside := NESTING.get(block["type"]):
            yield from iter_blocks(block[inside])


def interactive_elements(block: Json) -> list[Json]:
    """Return a block's interactive elements."""
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


def find(blocks: list[Json], action_id: str, block_id: str = "") -> tuple[Json, Json]:
    """Return the block and the element of this `action_id`; `SlackError("not_found")` when there is none."""
    for block in iter_blocks(blocks):
        for element in interactive_elements(block):
            if element["action_id"] == action_id and block_id in {"", block["block_id"]}:
                return block, element
    raise SlackError("not_found", f"There is no element {action_id!r} to act on.")


def add_missing_ids(blocks: list[Json], make: Callable[[], str]) -> list[Json]:
    """Return a copy in which every block and every interactive element has its id, as Slack gives them."""
    blocks = copy.deepcopy(blocks)
    for block in iter_blocks(blocks):
        block["block_id"] = block.get("block_id") or make()
        for element in interactive_elements(block):
            element["action_id"] = element.get("action_id") or make()
    return blocks


def initial(element: Json, conversation: str = "") -> Json:
    """Return what an element holds before anybody touched it."""
    kept = STATEFUL[element["type"]]
    value = element.get(kept.initial)
    if value is None and element.get("default_to_current_conversation") and conversation:
        value = [conversation] if kept.many else conversation
    return {"type": element["type"], kept.field: value if value is not None else [] if kept.many else None}


def state_values(blocks: list[Json], before: Values | None = None, conversation: str = "") -> Values:
    """Return what the blocks hold: what stood in the same place before, else what they begin with."""
    values: Values = {}
    for block in iter_blocks(blocks):
        for element in interactive_elements(block):
            if element["type"] in STATEFUL:
                block_id, action_id = block["block_id"], element["action_id"]
                old = (before or {}).get(block_id, {}).get(action_id, {})
                same = old.get("type") == element["type"]
                kept = old if same else initial(element, conversation)
                values.setdefault(block_id, {})[action_id] = kept
    return values


def option_of(element: Json, value: str, suggested: list[Json]) -> Json:
    """Return the option of this value; `SlackError("invalid_option")` when it is not offered."""
    for option in [*all_options(element), *suggested]:
        if option["value"] == value:
            return option
    raise SlackError("invalid_option", f"There is no option {value!r} to choose.")


def chosen(element: Json, choice: str | list[str] | None, suggested: list[Json]) -> Json:
    """Return what an element holds once this is chosen in it; None empties it."""
    kept = STATEFUL[element["type"]]
    each = [choice] if isinstance(choice, str) else choice or []
    if (len(each) > 1 and not kept.many) or len(each) > element.get("max_selected_items", 100):
        raise SlackError("too_many_options", "No more can be chosen here.")
    picked = [
        option_of(element, value, suggested) if kept.options else _read(element, value) for value in each
    ]
    return {"type": element["type"], kept.field: picked if kept.many else picked[0] if picked else None}


def _read(element: Json, value: str) -> object:
    reader = READERS.get(element["type"], str)
    try:
        read = reader(value)
    except ValueError:
        raise SlackError("invalid_value", f"{value!r} can't be chosen here.") from None
    return read if isinstance(read, int) else value

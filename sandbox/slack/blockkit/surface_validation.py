"""Validate surfaces as a whole: messages and views."""

from collections import Counter
from collections.abc import Collection, Iterator

from sandbox.slack.blockkit.blocks import SURFACES
from sandbox.slack.blockkit.composition_objects import (
    MAX_OPTION_GROUPS,
    MAX_OPTIONS,
    OPTION,
    OPTION_GROUP,
    plain_text,
)
from sandbox.slack.blockkit.elements import MAX_INPUT_CHARACTERS
from sandbox.slack.blockkit.json_validators import (
    any_value,
    array,
    boolean,
    by_type,
    exactly_one_of,
    json_object,
    problem,
    string,
)
from sandbox.slack.interactive_elements import interactive_elements, iter_blocks
from sandbox.slack.json_types import Json

MAX_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MAX_BLOCKS_OF_TYPE = {"table": 1, "data_table": 1, "data_visualization": 2}

COMMON_FIELDS = {
    "blocks": any_value,
    "private_metadata": string(MAX_INPUT_CHARACTERS, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
VIEW = by_type(
    {
        "modal": json_object(
            {"title": plain_text(24), "blocks": any_value},
            {
                **COMMON_FIELDS,
                "submit": plain_text(24),
                "close": plain_text(24),
                "clear_on_close": boolean,
                "notify_on_close": boolean,
                "submit_disabled": boolean,
            },
        ),
        "home": json_object({"blocks": any_value}, COMMON_FIELDS),
    }
)


def validate_blocks(blocks: object, surface: str, pointer: str = "/blocks") -> list[str]:
    """Return the problems of blocks on a surface: `message`, `modal` or `home`."""
    problems = list(array(by_type(SURFACES[surface]), MAX_BLOCKS[surface], 0)(blocks, pointer))
    if not problems and isinstance(blocks, list):
        checks = (_check_ids, _check_block_counts, _check_focus)
        problems = [found for check in checks for found in check(blocks, pointer)]
    return problems


def validate_view(view: object, *types: str) -> list[str]:
    """Return the problems of a view, which must be of one of these types."""
    if not isinstance(view, dict) or view.get("type") not in types:
        return [problem(f"must be a view of type {' or '.join(types)}", "/view")]
    problems = [*VIEW(view, "/view"), *validate_blocks(view.get("blocks"), view["type"], "/view/blocks")]
    if not problems and view["type"] == "modal" and _has_inputs(view) and "submit" not in view:
        problems = [problem("must define `submit` to use an `input` block in modals", "/view")]
    return problems


def find_unsupported_blocks(
    blocks: list[Json], unsupported: Collection[str], pointer: str = "/blocks"
) -> list[str]:
    """Return the problems of valid blocks in a workspace that does not support some types yet."""
    return [
        problem(f"unsupported type: {block['type']}", f"{pointer}/{index}/type")
        for index, outer in enumerate(blocks)
        for block in iter_blocks([outer])
        if block["type"] in unsupported
    ]


def validate_options(response: object) -> list[str]:
    """Return the problems of the app's options for an external select."""
    fields = {
        "options": array(OPTION, MAX_OPTIONS, 0),
        "option_groups": array(OPTION_GROUP, MAX_OPTION_GROUPS, 0),
    }
    return list(json_object({}, fields, exactly_one_of("options", "option_groups"))(response, ""))


def _has_inputs(view: Json) -> bool:
    return any(block["type"] == "input" for block in view["blocks"])


def _check_ids(blocks: list[Json], pointer: str) -> Iterator[str]:
    block_ids = Counter(block["block_id"] for block in iter_blocks(blocks) if "block_id" in block)
    for block_id in _repeated(block_ids):
        yield problem(f"`block_id` must be unique: {block_id}", pointer)
    for block in iter_blocks(blocks):
        elements = interactive_elements(block)
        action_ids = Counter(element["action_id"] for element in elements if "action_id" in element)
        for action_id in _repeated(action_ids):
            yield problem(f"`action_id` must be unique in its block: {action_id}", pointer)


def _repeated(counts: Counter[str]) -> Iterator[str]:
    return (item for item, count in counts.items() if count > 1)


def _check_block_counts(blocks: list[Json], pointer: str) -> Iterator[str]:
    counts = Counter(block["type"] for block in iter_blocks(blocks))
    for type_, maximum in MAX_BLOCKS_OF_TYPE.items():
        if counts[type_] > maximum:
            yield problem(f"no more than {maximum} of type {type_} allowed", pointer)


def _check_focus(blocks: list[Json], pointer: str) -> Iterator[str]:
    elements = (element for block in iter_blocks(blocks) for element in interactive_elements(block))
    if sum(bool(element.get("focus_on_load")) for element in elements) > 1:
        yield problem("`focus_on_load` may be true for one element alone", pointer)

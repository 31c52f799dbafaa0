"""What Slack checks of a whole message or view."""

from collections import Counter
from collections.abc import Collection, Iterator

from sandbox.slack.blockkit.blocks import SURFACES
from sandbox.slack.blockkit.elements import TYPED
from sandbox.slack.blockkit.objects import GROUP, GROUPS, OPTION, OPTIONS, plain
from sandbox.slack.blockkit.validators import (
    anything,
    boolean,
    by_type,
    items,
    only,
    record,
    string,
    wrong,
)
from sandbox.slack.elements import interactive_elements, iter_blocks
from sandbox.slack.json_types import Json

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MOST_OF_A_KIND = {"table": 1, "data_table": 1, "data_visualization": 2}
"""How many tables and charts one message (or Home) holds."""

COMMON = {
    "blocks": anything,
    "private_metadata": string(TYPED, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
VIEWS = by_type(
    {
        "modal": record(
            {"title": plain(24), "blocks": anything},
            {
                **COMMON,
                "submit": plain(24),
                "close": plain(24),
                "clear_on_close": boolean,
                "notify_on_close": boolean,
                "submit_disabled": boolean,
            },
        ),
        "home": record({"blocks": anything}, COMMON),
    }
)


def validate_blocks(blocks: object, surface: str, at: str = "/blocks") -> list[str]:
    """Return what Slack would refuse in these blocks of a `message`, `modal` or `home`."""
    found = list(items(by_type(SURFACES[surface]), MOST_BLOCKS[surface], 0)(blocks, at))
    if not found and isinstance(blocks, list):
        found = [*_repeated_ids(blocks, at), *_too_many_of_a_kind(blocks, at), *_focused(blocks, at)]
    return found


def validate_view(view: object, *kinds: str) -> list[str]:
    """Return what Slack would refuse in a view, which must be of one of these kinds."""
    if not isinstance(view, dict) or view.get("type") not in kinds:
        return [wrong(f"must be a view of type {' or '.join(kinds)}", "/view")]
    found = [*VIEWS(view, "/view"), *validate_blocks(view.get("blocks"), view["type"], "/view/blocks")]
    if not found and view["type"] == "modal" and _has_inputs(view) and "submit" not in view:
        found = [wrong("must define `submit` to use an `input` block in modals", "/view")]
    return found


def find_unsupported_blocks(blocks: list[Json], unknown: Collection[str], at: str = "/blocks") -> list[str]:
    """Return which of these fine blocks a workspace refuses that does not know some types yet."""
    return [
        wrong(f"unsupported type: {block['type']}", f"{at}/{index}/type")
        for index, outer in enumerate(blocks)
        for block in iter_blocks([outer])
        if block["type"] in unknown
    ]


def validate_options(answer: object) -> list[str]:
    """Return what Slack would refuse in the options for an external select."""
    groups = {"options": items(OPTION, OPTIONS, 0), "option_groups": items(GROUP, GROUPS, 0)}
    return list(record({}, groups, only("options", "option_groups"))(answer, ""))


def _has_inputs(view: Json) -> bool:
    return any(block["type"] == "input" for block in view["blocks"])


def _repeated_ids(blocks: list[Json], at: str) -> Iterator[str]:
    ids = Counter(block["block_id"] for block in iter_blocks(blocks) if "block_id" in block)
    for block_id in (block_id for block_id, times in ids.items() if times > 1):
        yield wrong(f"`block_id` must be unique: {block_id}", at)
    for block in iter_blocks(blocks):
        actions = Counter(
            element["action_id"] for element in interactive_elements(block) if "action_id" in element
        )
        for action_id in (action_id for action_id, times in actions.items() if times > 1):
            yield wrong(f"`action_id` must be unique in its block: {action_id}", at)


def _too_many_of_a_kind(blocks: list[Json], at: str) -> Iterator[str]:
    kinds = Counter(block["type"] for block in iter_blocks(blocks))
    for kind, most in MOST_OF_A_KIND.items():
        if kinds[kind] > most:
            yield wrong(f"no more than {most} of type {kind} allowed", at)


def _focused(blocks: list[Json], at: str) -> Iterator[str]:
    elements = (element for block in iter_blocks(blocks) for element in interactive_elements(block))
    if sum(bool(element.get("focus_on_load")) for element in elements) > 1:
        yield wrong("`focus_on_load` may be true for one element alone", at)

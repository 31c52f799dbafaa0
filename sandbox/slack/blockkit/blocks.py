"""Blocks, and the surfaces that support them: https://docs.slack.dev/reference/block-kit/blocks."""

from sandbox.slack.blockkit.composition_objects import BLOCK_ID, SLACK_FILE, URL, plain_text, text
from sandbox.slack.blockkit.elements import (
    BUTTON,
    BUTTONS,
    CHOICE_LISTS,
    CONTEXT_BUTTONS,
    DATETIME_PICKER,
    FILES,
    IMAGE,
    MULTI_SELECTS,
    PICKERS,
    SELECTS,
    TEXT_INPUTS,
)
from sandbox.slack.blockkit.json_validators import (
    Validator,
    any_value,
    array,
    at_least_one_of,
    boolean,
    by_type,
    exactly_one_of,
    json_object,
    one_of,
    string,
)
from sandbox.slack.blockkit.rich_text import RICH_TEXT
from sandbox.slack.blockkit.tables_and_charts import DATA_TABLE, DATA_VISUALIZATION, TABLE

ACTIONS_ELEMENT = by_type({**BUTTONS, **SELECTS, **CHOICE_LISTS, **PICKERS, **DATETIME_PICKER})
ACCESSORY = by_type({**BUTTONS, **SELECTS, **MULTI_SELECTS, **CHOICE_LISTS, **PICKERS, "image": IMAGE})
INPUT_ELEMENTS = {**SELECTS, **MULTI_SELECTS, **CHOICE_LISTS, **PICKERS, **DATETIME_PICKER, **TEXT_INPUTS}
CONTEXT_ELEMENT = by_type(
    {"image": IMAGE, "plain_text": text(3000), "mrkdwn": text(3000)},
)


def _input(elements: dict[str, Validator]) -> Validator:
    return json_object(
        {"label": plain_text(2000), "element": by_type(elements)},
        {**BLOCK_ID, "hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
    )


CARD = json_object(
    {},
    {
        **BLOCK_ID,
        "hero_image": IMAGE,
        "icon": any_value,
        "slack_icon": any_value,
        "title": text(150),
        "subtitle": text(150),
        "subtext": text(200),
        "body": text(200),
        "actions": array(BUTTON, 3),
    },
    at_least_one_of("hero_image", "title", "actions", "body"),
)

COMMON_BLOCKS: dict[str, Validator] = {
    "actions": json_object({"elements": array(ACTIONS_ELEMENT, 25)}, BLOCK_ID),
    "card": CARD,
    "context": json_object({"elements": array(CONTEXT_ELEMENT, 10)}, BLOCK_ID),
    "divider": json_object({}, BLOCK_ID),
    "header": json_object({"text": plain_text(150)}, {**BLOCK_ID, "level": any_value}),
    "image": json_object(
        {"alt_text": string(2000)},
        {**BLOCK_ID, "image_url": URL, "slack_file": SLACK_FILE, "title": plain_text(2000)},
        exactly_one_of("image_url", "slack_file"),
    ),
    "input": _input(INPUT_ELEMENTS),
    "rich_text": RICH_TEXT,
    "section": json_object(
        {},
        {
            **BLOCK_ID,
            "text": text(3000),
            "fields": array(text(2000), 10),
            "accessory": ACCESSORY,
            "expand": boolean,
        },
        at_least_one_of("text", "fields"),
    ),
    "video": json_object(
        {"alt_text": string(2000), "title": plain_text(199), "thumbnail_url": URL, "video_url": URL},
        {
            **BLOCK_ID,
            "author_name": string(49),
            "description": plain_text(200),
            "provider_icon_url": URL,
            "provider_name": string(255),
            "title_url": URL,
        },
    ),
}

ALERT_LEVEL = one_of("default", "info", "warning", "error", "success")
MODAL_BLOCKS: dict[str, Validator] = {
    **COMMON_BLOCKS,
    "alert": json_object({"text": text(200)}, {**BLOCK_ID, "level": ALERT_LEVEL}),
    "input": _input({**INPUT_ELEMENTS, **FILES}),
}

HOME_BLOCKS: dict[str, Validator] = {
    **COMMON_BLOCKS,
    "data_table": DATA_TABLE,
    "data_visualization": DATA_VISUALIZATION,
}

MESSAGE_CHILD_BLOCKS: dict[str, Validator] = {
    **HOME_BLOCKS,
    "carousel": json_object({"elements": array(by_type({"card": CARD}), 10)}, BLOCK_ID),
    "context_actions": json_object({"elements": array(by_type(CONTEXT_BUTTONS), 5)}, BLOCK_ID),
    "file": json_object({"external_id": string(255), "source": one_of("remote")}, BLOCK_ID),
    "markdown": json_object({"text": string(12_000)}, BLOCK_ID),
    "table": TABLE,
    "plan": json_object({"title": any_value}, {**BLOCK_ID, "tasks": any_value}),
    "task_card": json_object(
        {"task_id": string(255), "title": string(255)},
        {
            **BLOCK_ID,
            "status": one_of("pending", "in_progress", "complete", "error"),
            "details": any_value,
            "output": any_value,
            "sources": any_value,
        },
    ),
}

MESSAGE_BLOCKS: dict[str, Validator] = {
    **MESSAGE_CHILD_BLOCKS,
    "container": json_object(
        {"child_blocks": array(by_type(MESSAGE_CHILD_BLOCKS), 10)},
        {
            **BLOCK_ID,
            "title": text(150),
            "rich_text_title": any_value,
            "subtitle": text(150),
            "icon": any_value,
            "width": one_of("narrow", "standard", "wide", "full"),
            "is_collapsible": boolean,
            "default_collapsed": boolean,
            "has_header_divider": boolean,
        },
        at_least_one_of("title", "rich_text_title"),
    ),
}

SURFACES: dict[str, dict[str, Validator]] = {
    "message": MESSAGE_BLOCKS,
    "modal": MODAL_BLOCKS,
    "home": HOME_BLOCKS,
}

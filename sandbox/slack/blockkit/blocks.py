"""Blocks, and on which surface each may stand: https://docs.slack.dev/reference/block-kit/blocks."""

from sandbox.slack.blockkit.elements import (
    BUTTON,
    BUTTONS,
    CONTEXT_BUTTONS,
    DATETIME,
    FILES,
    GROUPS_OF_CHOICES,
    IMAGE,
    MULTI_SELECTS,
    PICKERS,
    SELECTS,
    TEXT_INPUTS,
)
from sandbox.slack.blockkit.objects import SLACK_FILE, URL, plain, text
from sandbox.slack.blockkit.rich import BLOCK_ID, DATA_TABLE, DATA_VISUALIZATION, RICH_TEXT, TABLE
from sandbox.slack.blockkit.validators import (
    Rule,
    anything,
    boolean,
    by_type,
    exactly,
    items,
    only,
    record,
    some,
    string,
)

ACTIONS = by_type({**BUTTONS, **SELECTS, **GROUPS_OF_CHOICES, **PICKERS, **DATETIME})
ACCESSORY = by_type({**BUTTONS, **SELECTS, **MULTI_SELECTS, **GROUPS_OF_CHOICES, **PICKERS, "image": IMAGE})
FIELD = {**SELECTS, **MULTI_SELECTS, **GROUPS_OF_CHOICES, **PICKERS, **DATETIME, **TEXT_INPUTS}
NOTE = by_type(
    {"image": IMAGE, "plain_text": text(3000), "mrkdwn": text(3000)},
)


def _input(fields: dict[str, Rule]) -> Rule:
    return record(
        {"label": plain(2000), "element": by_type(fields)},
        {**BLOCK_ID, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    )


CARD = record(
    {},
    {
        **BLOCK_ID,
        "hero_image": IMAGE,
        "icon": anything,
        "slack_icon": anything,
        "title": text(150),
        "subtitle": text(150),
        "subtext": text(200),
        "body": text(200),
        "actions": items(BUTTON, 3),
    },
    some("hero_image", "title", "actions", "body"),
)

EVERYWHERE: dict[str, Rule] = {
    "actions": record({"elements": items(ACTIONS, 25)}, BLOCK_ID),
    "card": CARD,
    "context": record({"elements": items(NOTE, 10)}, BLOCK_ID),
    "divider": record({}, BLOCK_ID),
    "header": record({"text": plain(150)}, {**BLOCK_ID, "level": anything}),
    "image": record(
        {"alt_text": string(2000)},
        {**BLOCK_ID, "image_url": URL, "slack_file": SLACK_FILE, "title": plain(2000)},
        only("image_url", "slack_file"),
    ),
    "input": _input(FIELD),
    "rich_text": RICH_TEXT,
    "section": record(
        {},
        {
            **BLOCK_ID,
            "text": text(3000),
            "fields": items(text(2000), 10),
            "accessory": ACCESSORY,
            "expand": boolean,
        },
        some("text", "fields"),
    ),
    "video": record(
        {"alt_text": string(2000), "title": plain(199), "thumbnail_url": URL, "video_url": URL},
        {
            **BLOCK_ID,
            "author_name": string(49),
            "description": plain(200),
            "provider_icon_url": URL,
            "provider_name": string(255),
            "title_url": URL,
        },
    ),
}

LEVELS = exactly("default", "info", "warning", "error", "success")
MODAL: dict[str, Rule] = {
    **EVERYWHERE,
    "alert": record({"text": text(200)}, {**BLOCK_ID, "level": LEVELS}),
    "input": _input({**FIELD, **FILES}),
}

HOME: dict[str, Rule] = {
    **EVERYWHERE,
    "data_table": DATA_TABLE,
    "data_visualization": DATA_VISUALIZATION,
}

PARTS_OF_MESSAGES: dict[str, Rule] = {
    **HOME,
    "carousel": record({"elements": items(by_type({"card": CARD}), 10)}, BLOCK_ID),
    "context_actions": record({"elements": items(by_type(CONTEXT_BUTTONS), 5)}, BLOCK_ID),
    "file": record({"external_id": string(255), "source": exactly("remote")}, BLOCK_ID),
    "markdown": record({"text": string(12_000)}, BLOCK_ID),
    "table": TABLE,
    "plan": record({"title": anything}, {**BLOCK_ID, "tasks": anything}),
    "task_card": record(
        {"task_id": string(255), "title": string(255)},
        {
            **BLOCK_ID,
            "status": exactly("pending", "in_progress", "complete", "error"),
            "details": anything,
            "output": anything,
            "sources": anything,
        },
    ),
}

MESSAGE: dict[str, Rule] = {
    **PARTS_OF_MESSAGES,
    "container": record(
        {"child_blocks": items(by_type(PARTS_OF_MESSAGES), 10)},
        {
            **BLOCK_ID,
            "title": text(150),
            "rich_text_title": anything,
            "subtitle": text(150),
            "icon": anything,
            "width": exactly("narrow", "standard", "wide", "full"),
            "is_collapsible": boolean,
            "default_collapsed": boolean,
            "has_header_divider": boolean,
        },
        some("title", "rich_text_title"),
    ),
}

SURFACES: dict[str, dict[str, Rule]] = {"message": MESSAGE, "modal": MODAL, "home": HOME}

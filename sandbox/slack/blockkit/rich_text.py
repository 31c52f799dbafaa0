"""Rich text: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block."""

from sandbox.slack.blockkit.composition_objects import BLOCK_ID, URL
from sandbox.slack.blockkit.json_validators import (
    array,
    boolean,
    by_type,
    integer,
    json_object,
    one_of,
    string,
)

MAX_TEXT_CHARACTERS = 40_000

STYLE = json_object(
    {},
    dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "unlink"), boolean),
)
INLINE_ELEMENT = by_type(
    {
        "text": json_object({"text": string(MAX_TEXT_CHARACTERS)}, {"style": STYLE}),
        "link": json_object(
            {"url": URL}, {"text": string(MAX_TEXT_CHARACTERS, 0), "unsafe": boolean, "style": STYLE}
        ),
        "emoji": json_object({"name": string(255)}, {"unicode": string(255), "style": STYLE}),
        "user": json_object({"user_id": string(255)}, {"style": STYLE}),
        "usergroup": json_object({"usergroup_id": string(255)}, {"style": STYLE}),
        "channel": json_object({"channel_id": string(255)}, {"style": STYLE}),
        "team": json_object({"team_id": string(255)}, {"style": STYLE}),
        "broadcast": json_object({"range": one_of("here", "channel", "everyone")}, {"style": STYLE}),
        "color": json_object({"value": string(255)}, {"style": STYLE}),
        "date": json_object(
            {"timestamp": integer(0, 9_999_999_999), "format": string(255)},
            {"url": URL, "fallback": string(MAX_TEXT_CHARACTERS), "style": STYLE},
        ),
    }
)
INLINE_ELEMENTS = array(INLINE_ELEMENT, 1000, 0)
SECTION = json_object({"elements": INLINE_ELEMENTS})
RICH_TEXT_ELEMENT = by_type(
    {
        "rich_text_section": SECTION,
        "rich_text_preformatted": json_object(
            {"elements": INLINE_ELEMENTS}, {"border": integer(0, 1), "language": string(255)}
        ),
        "rich_text_quote": json_object({"elements": INLINE_ELEMENTS}, {"border": integer(0, 1)}),
        "rich_text_list": json_object(
            {
                "elements": array(by_type({"rich_text_section": SECTION}), 1000),
                "style": one_of("bullet", "ordered"),
            },
            {"indent": integer(0, 8), "offset": integer(0, 10_000), "border": integer(0, 1)},
        ),
    }
)
RICH_TEXT = json_object({"elements": array(RICH_TEXT_ELEMENT, 1000, 0)}, BLOCK_ID)

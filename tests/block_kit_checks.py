"""Texts that are hard to show, and checks that Slack takes blocks and shows their texts literally."""

import json
from collections.abc import Iterator
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from blocks.elements import Message
from sandbox.slack.blockkit import validate_blocks, validate_view

Json = dict[str, Any]

HOSTILE = [
    "<!channel> <!here> <!everyone>",
    "<@U012AB3CE> <#C012AB3CD> <!subteam^S012AB3CD>",
    "<https://evil.example|good.example>",
    "*bold* _italic_ ~strike~ `code` ```pre``` > quote",
    ":smile: :wave::skin-tone-2: &lt;!channel&gt; &amp;",
    "\u202egnp.exe \u2066isolated\u2069 \u200f עברית",
    "one\ntwo\r\nthree\u2028four\tfive\x07",
    "👩‍👩‍👧 é ﷽ Z̷̢a̸l̶g̵o",
]
"""Texts that Slack would show as something else, or that are hard to show."""


def to_json(blocks: list[Json]) -> list[Json]:
    """Return blocks as sent to Slack."""
    rendered: list[Json] = json.loads(json.dumps(blocks))
    return rendered


def view_json(view: Json) -> Json:
    """Return a view as sent to Slack."""
    rendered: Json = json.loads(json.dumps(view))
    return rendered


def check_view(view: Json) -> Json:
    """Check that a view is valid and return it as JSON."""
    rendered = view_json(view)
    assert validate_view(rendered, "modal") == []
    assert view_json(View(**rendered).to_dict()) == rendered
    assert len(rendered["private_metadata"]) <= 3000
    assert len(json.dumps(rendered)) < 250_000
    return rendered


def check_message(message: Message) -> Json:
    """Check that a message is valid and return it as JSON."""
    blocks = to_json(message.blocks)
    assert validate_blocks(blocks, "message") == []
    assert [block.to_dict() for block in Block.parse_all(blocks)] == blocks
    assert message.text.strip()
    assert len(message.text) < 4000
    return {"text": message.text, "blocks": blocks}


def find_parts(content: object, types: set[str]) -> Iterator[Json]:
    """Yield all nested parts of the given types."""
    if isinstance(content, dict):
        if content.get("type") in types:
            yield content
        for inner in content.values():
            yield from find_parts(inner, types)
    elif isinstance(content, list):
        for inner in content:
            yield from find_parts(inner, types)


def check_literal(content: object, requester: str, label: str) -> None:
    """Check that only the requester is mentioned, only the recipient is linked, and nothing is mrkdwn."""
    assert not list(
        find_parts(content, {"mrkdwn", "markdown", "broadcast", "usergroup", "channel", "emoji", "image"})
    )
    assert {user["user_id"] for user in find_parts(content, {"user"})} <= {requester}
    for link in find_parts(content, {"link"}):
        path = label[1:] if label.startswith("@") else f"i/user/{label}"
        assert link == {"type": "link", "url": f"https://x.com/{path}", "text": label}

"""Everything that a message says, whichever of Slack's many places it says it in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

DEEPEST = 12
"""How deeply nested blocks are followed; Slack's own nest four deep."""

_TAG = re.compile(r"<(?P<kind>[@#!])?(?P<target>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")
_PROSE = ("text", "fallback", "pretext", "title", "value", "author_name", "footer", "alt_text", "plain_text")
_LINKS = ("url", "title_link", "author_link", "from_url", "image_url", "original_url")
_NESTED = ("blocks", "attachments", "files", "fields", "elements", "accessory", "rows", "text", "title")


def extract_text(message: Mapping[str, Any]) -> str:
    """Return a message's text, blocks and attachments as plain text, each part on a line of its own."""
    return "\n".join(dict.fromkeys(_lines(message, 0)))


def plain(mrkdwn: str) -> str:
    """Return Slack's mrkdwn as text: links as their address and label, without mentions of Slack's people."""
    return unescape(_TAG.sub(_as_text, mrkdwn))


def unescape(mrkdwn: str) -> str:
    """Replace Slack's three escape sequences by their characters.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    return mrkdwn.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _as_text(tag: re.Match[str]) -> str:
    if tag["kind"]:
        return " "
    label = tag["label"] or ""
    return tag["target"] if label in ("", tag["target"]) else f"{tag['target']} {label}"


def _lines(part: Any, depth: int) -> Iterator[str]:  # noqa: ANN401 - whatever Slack sent
    if depth > DEEPEST:
        return
    if isinstance(part, list):
        for item in part:
            yield from _lines(item, depth + 1)
    elif isinstance(part, Mapping):
        yield from _own_lines(part)
        for name in _NESTED:
            if isinstance(part.get(name), (list, Mapping)):
                yield from _lines(part[name], depth + 1)


def _own_lines(part: Mapping[str, Any]) -> Iterator[str]:
    for name in (*_PROSE, *_LINKS):
        if isinstance(written := part.get(name), str) and written:
            yield plain(written)

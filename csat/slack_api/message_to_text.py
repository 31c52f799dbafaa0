"""Extract the plain text of a Slack message: its text, blocks, attachments and files."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

MAX_DEPTH = 12
"""How many levels of nested blocks are read; Slack's own nest four deep."""

_TAG = re.compile(r"<(?P<kind>[@#!])?(?P<target>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")
_TEXT_FIELDS = (
    "text", "fallback", "pretext", "title", "value", "author_name", "footer", "alt_text", "plain_text",
)  # fmt: skip
_URL_FIELDS = ("url", "title_link", "author_link", "from_url", "image_url", "original_url")
_NESTED_FIELDS = (
    "blocks", "attachments", "files", "fields", "elements", "accessory", "rows", "text", "title",
)  # fmt: skip


def extract_text(message: Mapping[str, Any]) -> str:
    """Return the texts and URLs in a message as plain text, one a line, without repetitions."""
    return "\n".join(dict.fromkeys(_find_texts(message, 0)))


def to_plain_text(mrkdwn: str) -> str:
    """Return mrkdwn as plain text: links as URL and label, mentions of Slack users and channels removed."""
    return unescape(_TAG.sub(_replace_tag, mrkdwn))


def unescape(mrkdwn: str) -> str:
    """Replace Slack's three escape sequences by their characters.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    return mrkdwn.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _replace_tag(tag: re.Match[str]) -> str:
    if tag["kind"]:
        return " "
    label = tag["label"] or ""
    return tag["target"] if label in ("", tag["target"]) else f"{tag['target']} {label}"


def _find_texts(part: Any, depth: int) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if depth > MAX_DEPTH:
        return
    if isinstance(part, list):
        for item in part:
            yield from _find_texts(item, depth + 1)
    elif isinstance(part, Mapping):
        for name in (*_TEXT_FIELDS, *_URL_FIELDS):
            if isinstance(text := part.get(name), str) and text:
                yield to_plain_text(text)
        for name in _NESTED_FIELDS:
            if isinstance(part.get(name), (list, Mapping)):
                yield from _find_texts(part[name], depth + 1)

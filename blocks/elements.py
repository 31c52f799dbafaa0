"""The few pieces that every view and message is made of.

What people typed goes into rich text elements and plain text objects only: Slack takes those literally, so
nothing in them can mention anybody, style anything, or pose as a link.
"""

import html
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple

from slack_sdk.models.blocks import (
    AlertBlock,
    Block,
    ContextBlock,
    PlainTextObject,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
    RichTextListElement,
    RichTextQuoteElement,
    RichTextSectionElement,
)

from blocks.rendering import render

_LAYOUT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


class Message(NamedTuple):
    """A message: its fallback text, for notifications and screen readers, and its blocks as JSON."""

    text: str
    blocks: list[dict[str, Any]]


def build_message(text: str, blocks: Iterable[Block]) -> Message:
    """Return a message with its blocks rendered."""
    return Message(text, render(list(blocks)))


def one_line(typed: str) -> str:
    """Return typed text without breaks and without marks that turn the direction of writing."""
    return _LAYOUT.sub(" ", typed).strip()


def truncate_lines(typed: str, most: int) -> str:
    """Return typed text without such marks, its breaks kept, and cut where it is longer than `most`."""
    kept = "\n".join(map(one_line, typed.splitlines())).strip()
    return kept if len(kept) <= most else f"{kept[: most - 1]}…"


def escape_mrkdwn(typed: str) -> str:
    """Return typed text for a message's fallback text, which Slack reads as mrkdwn.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    return html.escape(one_line(typed), quote=False)


def text(words: str, *, bold: bool = False) -> RichTextElement:
    """Return words, to be taken literally."""
    style = RichTextElementParts.TextStyle(bold=True) if bold else None
    return RichTextElementParts.Text(text=words, style=style)


def user_mention(user: str) -> RichTextElement:
    """Return a mention of a Slack member."""
    return RichTextElementParts.User(user_id=user)


def profile_link(typed: str) -> RichTextElement:
    """Return a link to a customer's profile on X; `typed` is `@handle` or a numeric id."""
    path = typed[1:] if typed.startswith("@") else f"i/user/{typed}"
    return RichTextElementParts.Link(url=f"https://x.com/{path}", text=typed)


def timestamp(when: datetime, style: str = "{time}") -> RichTextElement:
    """Return a moment in the reader's own time zone."""
    return RichTextElementParts.Date(
        timestamp=int(when.timestamp()), format=style, fallback=f"{when:%Y-%m-%d %H:%M} UTC"
    )


def rich_line(*parts: RichTextElement) -> RichTextBlock:
    """Return a line of rich text."""
    return RichTextBlock(elements=[RichTextSectionElement(elements=list(parts))])


def numbered_list(*what: str) -> RichTextBlock:
    """Return what to do, one after the other."""
    each = [RichTextSectionElement(elements=[text(step)]) for step in what]
    return RichTextBlock(elements=[RichTextListElement(style="ordered", elements=each)])


def quote(*parts: RichTextElement, block_id: str | None = None) -> RichTextBlock:
    """Return rich text with a bar beside it."""
    return RichTextBlock(block_id=block_id, elements=[RichTextQuoteElement(elements=list(parts))])


def plain_message(words: str) -> Message:
    """Return a message of one line."""
    return build_message(escape_mrkdwn(words), [rich_line(text(words))])


def context(*truncate_lines: str) -> ContextBlock:
    """Return small print, to be taken literally; each line is an element of its own."""
    return ContextBlock(
        elements=[PlainTextObject(text=words, emoji=False) for words in truncate_lines if words]
    )


def alert(words: str, level: Literal["warning", "error"] = "warning") -> AlertBlock:
    """Return a banner for a modal, to be taken literally."""
    return AlertBlock(level=level, text=PlainTextObject(text=words, emoji=False))

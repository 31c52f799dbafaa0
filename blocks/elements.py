"""The elements that all views and messages are built from.

Text that people typed goes only into rich text elements and plain text objects. Slack shows those literally,
so that they can't mention anyone, style anything, or pose as a link.
"""

import html
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from slack_sdk.models.blocks import (
    AlertBlock,
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
    RichTextListElement,
    RichTextQuoteElement,
    RichTextSectionElement,
)

from blocks.block_json import BlockDict, render_all
from csat.english_dates import format_day, format_moment
from csat.surveys.recipients import Recipient, SlackPerson

DATE_AND_TIME: Final = "\u200b{date_short_pretty} at {time}"
"""Like "yesterday at 1:31 PM"; Slack capitalizes the day if a format begins with it."""
DATE_AND_TIME_FIRST: Final = "{date_short_pretty} at {time}"
"""Like "Yesterday at 1:31 PM", for the beginning of a line."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


class Message(NamedTuple):
    """A message: its fallback text, for notifications and screen readers, and its rendered blocks."""

    text: str
    blocks: list[BlockDict]


def build_message(text: str, blocks: Iterable[Block]) -> Message:
    """Return a message with its blocks rendered."""
    return Message(text, render_all(blocks))


def one_line(typed: str) -> str:
    """Return text without line breaks and bidirectional control characters."""
    return _CONTROLS.sub(" ", typed).strip()


def truncate_line(typed: str, max_length: int) -> str:
    """Return text on one line and at most so long."""
    return _truncate(one_line(typed), max_length)


def truncate_lines(typed: str, max_length: int) -> str:
    """Return text without bidirectional control characters and at most so long; line breaks stay."""
    return _truncate("\n".join(map(one_line, typed.splitlines())).strip(), max_length)


def escape_mrkdwn(typed: str) -> str:
    """Return text on one line for a fallback text, which Slack reads as mrkdwn.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    return html.escape(one_line(typed), quote=False)


def plain_text(words: str) -> BlockDict:
    """Return a plain text object."""
    return {"type": "plain_text", "text": words, "emoji": True}


def text(words: str, *, bold: bool = False) -> RichTextElement:
    """Return a rich text element, which Slack shows literally."""
    style = RichTextElementParts.TextStyle(bold=True) if bold else None
    return RichTextElementParts.Text(text=words, style=style)


def user_mention(user: str) -> RichTextElement:
    """Return a mention of a Slack user."""
    return RichTextElementParts.User(user_id=user)


def channel_mention(channel: str) -> RichTextElement:
    """Return a mention of a channel; of a direct message, which has no name, the words."""
    if channel.startswith("D"):
        return text("Direct message")
    return RichTextElementParts.Channel(channel_id=channel)


def profile_link(typed: str) -> RichTextElement:
    """Return a link to a profile on X; `typed` is `@handle` or a numeric id."""
    path = typed[1:] if typed.startswith("@") else f"i/user/{typed}"
    return RichTextElementParts.Link(url=f"https://x.com/{path}", text=typed)


def recipient_link(recipient: Recipient) -> RichTextElement:
    """Return a link to a recipient's profile on X, a mention in Slack, or a text if they were erased."""
    if isinstance(recipient, SlackPerson):
        return user_mention(recipient.user)
    return text("a deleted customer") if recipient.is_erased else profile_link(recipient.label)


def sentence_about(recipient: Recipient, words: str) -> list[RichTextElement]:
    """Return a sentence with the recipient in place of "{customer}"; people in Slack are mentioned."""
    if not isinstance(recipient, SlackPerson):
        return [text(_name_customer(words, recipient))]
    pieces = filter(None, re.split(r"(\{customer\})", words))
    return [recipient_link(recipient) if piece == "{customer}" else text(piece) for piece in pieces]


def timestamp(when: datetime, date_format: str = DATE_AND_TIME) -> RichTextElement:
    """Return a date that Slack shows in the reader's time zone."""
    return RichTextElementParts.Date(
        timestamp=int(when.timestamp()),
        format=date_format,
        fallback=format_moment(when),
    )


def day(when: datetime) -> RichTextElement:
    """Return a day that Slack shows in the reader's time zone, like "Nov 3, 2026"."""
    return RichTextElementParts.Date(
        timestamp=int(when.timestamp()), format="{date_short}", fallback=format_day(when)
    )


def rich_line(*parts: RichTextElement) -> RichTextBlock:
    """Return a line of rich text."""
    return RichTextBlock(elements=[RichTextSectionElement(elements=list(parts))])


def numbered_list(*items: str) -> RichTextBlock:
    """Return a numbered list."""
    sections = [RichTextSectionElement(elements=[text(item)]) for item in items]
    return RichTextBlock(elements=[RichTextListElement(style="ordered", elements=sections)])


def bullet_list(*items: Sequence[RichTextElement]) -> RichTextBlock:
    """Return a list with bullets."""
    sections = [RichTextSectionElement(elements=list(item)) for item in items]
    return RichTextBlock(elements=[RichTextListElement(style="bullet", elements=sections)])


def quote(*parts: RichTextElement) -> RichTextBlock:
    """Return quoted rich text."""
    return RichTextBlock(elements=[RichTextQuoteElement(elements=list(parts))])


def header(words: str) -> HeaderBlock:
    """Return a heading."""
    return HeaderBlock(text=PlainTextObject(text=words, emoji=False))


def context(*lines: str) -> ContextBlock:
    """Return small print with an element for each line that is not empty."""
    return ContextBlock(elements=[PlainTextObject(text=words, emoji=False) for words in lines if words])


def context_about(recipient: Recipient, words: str) -> ContextBlock:
    """Return a line of small print with the recipient in place of "{customer}"."""
    if not isinstance(recipient, SlackPerson):
        return context(_name_customer(words, recipient))
    return ContextBlock(elements=[MarkdownTextObject(text=_name_customer(words, recipient), verbatim=True)])


def alert(words: str, level: Literal["warning", "error"] = "warning") -> AlertBlock:
    """Return a banner for a modal."""
    return AlertBlock(level=level, text=PlainTextObject(text=words, emoji=False))


def plain_message(words: str) -> Message:
    """Return a message of one line."""
    return build_message(escape_mrkdwn(words), [rich_line(text(words))])


def message_about(recipient: Recipient, words: str) -> Message:
    """Return a message of one line with the recipient in place of "{customer}"."""
    fallback_text = _name_customer(escape_mrkdwn(words), recipient)
    return build_message(fallback_text, [rich_line(*sentence_about(recipient, words))])


def _name_customer(words: str, recipient: Recipient) -> str:
    return words.replace("{customer}", recipient.label or "this customer")


def _truncate(text: str, max_length: int) -> str:
    return text if len(text) <= max_length else f"{text[: max_length - 1]}…"

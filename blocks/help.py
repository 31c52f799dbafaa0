"""What `/csat help` answers."""

from collections.abc import Sequence
from typing import NamedTuple

from slack_sdk.models.blocks import (
    RichTextBlock,
    RichTextElementParts,
    RichTextListElement,
    RichTextSectionElement,
)

from blocks.elements import Message, build_message, escape_mrkdwn, rich_line, text

INTRO = "/csat asks a customer on X how you did."
SHORTCUT_HINT = "Or choose ⋮ > Send feedback survey on the message that names the customer."


class Usage(NamedTuple):
    """One way to use the command."""

    example: str
    does: str


def help_message(usages: Sequence[Usage], problem: str = "") -> Message:
    """Say what the command does, with examples; and first, what was not understood."""
    return build_message(
        escape_mrkdwn(problem or INTRO),
        [
            *([rich_line(text(problem, bold=True))] if problem else []),
            rich_line(text(INTRO)),
            RichTextBlock(
                elements=[RichTextListElement(style="bullet", elements=[_row(row) for row in usages])]
            ),
            rich_line(text(SHORTCUT_HINT)),
        ],
    )


def _row(usage: Usage) -> RichTextSectionElement:
    code = RichTextElementParts.TextStyle(code=True)
    return RichTextSectionElement(
        elements=[RichTextElementParts.Text(text=usage.example, style=code), text(f"  {usage.does}")]
    )

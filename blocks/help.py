"""What `/csat help` answers."""

from collections.abc import Sequence
from typing import NamedTuple

from slack_sdk.models.blocks import (
    RichTextBlock,
    RichTextElementParts,
    RichTextListElement,
    RichTextSectionElement,
)

from blocks.kit import Message, escape, line, text

INTRO = "/csat asks a customer on X how you did."
FROM_A_MESSAGE = "Or choose ⋮ > Send feedback survey on the message that names the customer."


class Usage(NamedTuple):
    """One way to use the command."""

    example: str
    does: str


def help_message(usages: Sequence[Usage], problem: str = "") -> Message:
    """Say what the command does, with examples; and first, what was not understood."""
    return Message(
        escape(problem or INTRO),
        [
            *([line(text(problem, bold=True))] if problem else []),
            line(text(INTRO)),
            RichTextBlock(
                elements=[RichTextListElement(style="bullet", elements=[_row(row) for row in usages])]
            ),
            line(text(FROM_A_MESSAGE)),
        ],
    )


def _row(usage: Usage) -> RichTextSectionElement:
    code = RichTextElementParts.TextStyle(code=True)
    return RichTextSectionElement(
        elements=[RichTextElementParts.Text(text=usage.example, style=code), text(f"  {usage.does}")]
    )

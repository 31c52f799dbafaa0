"""The help for `/csat`."""

from collections.abc import Sequence
from typing import NamedTuple

from slack_sdk.models.blocks import RichTextElement, RichTextElementParts

from blocks.elements import Message, build_message, bullet_list, escape_mrkdwn, rich_line, text

INTRO = "/csat asks a customer on X how you did."
SHORTCUT_HINT = "Or choose ⋮ > Send feedback survey on a message that names the customer."


class Usage(NamedTuple):
    """One way to use the command."""

    example: str
    description: str


def help_message(usages: Sequence[Usage], problem: str = "") -> Message:
    """Return the help, below the problem with the command if there was one."""
    return build_message(
        escape_mrkdwn(problem or INTRO),
        [
            *([rich_line(text(problem, bold=True))] if problem else []),
            rich_line(text(INTRO)),
            bullet_list(*map(_list_item, usages)),
            rich_line(text(SHORTCUT_HINT)),
        ],
    )


def _list_item(usage: Usage) -> list[RichTextElement]:
    code = RichTextElementParts.TextStyle(code=True)
    return [RichTextElementParts.Text(text=usage.example, style=code), text(f"  {usage.description}")]

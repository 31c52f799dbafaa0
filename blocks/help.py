"""The help for `/csat`."""

from collections.abc import Sequence
from typing import NamedTuple

from slack_sdk.models.blocks import RichTextElement, RichTextElementParts

from blocks.elements import Message, build_message, bullet_list, escape_mrkdwn, plain_message, rich_line, text

INTRO = "/csat asks a customer on X how you did."
HELP = "/csat help"
AT_SIGN_HINT = "For a handle, put @ in front."
SHORTCUT_HINT = "Or choose ⋮ > Send feedback survey on a message that names the customer."


class Usage(NamedTuple):
    """One way to use the command."""

    example: str
    description: str


def help_message(usages: Sequence[Usage]) -> Message:
    """Return the help."""
    return build_message(
        escape_mrkdwn(INTRO),
        [rich_line(text(INTRO)), bullet_list(*map(_list_item, usages)), rich_line(text(SHORTCUT_HINT))],
    )


def problem_message(problem: str) -> Message:
    """Return the problem with a command, and where the help is, unless that says what to type."""
    return plain_message(problem if HELP in problem or AT_SIGN_HINT in problem else f"{problem} See {HELP}.")


def _list_item(usage: Usage) -> list[RichTextElement]:
    code = RichTextElementParts.TextStyle(code=True)
    return [RichTextElementParts.Text(text=usage.example, style=code), text(f"  {usage.description}")]

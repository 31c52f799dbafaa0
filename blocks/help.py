"""The help for `/csat`."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from slack_sdk.models.blocks import RichTextElement, RichTextElementParts

from blocks.elements import Message, build_message, bullet_list, escape_mrkdwn, plain_message, rich_line, text
from csat.surveys.networks import Network

INTROS = {
    Network.X: "/csat asks a customer on X how you did.",
    Network.SLACK: "/csat asks a customer in Slack how you did.",
}
INTRO = "/csat asks a customer, on X or in Slack, how you did."
HELP = "/csat help"
AT_SIGN_HINT = "For a handle, put @ in front."
SHORTCUT_HINTS = {
    Network.X: "Or choose ⋮ > Send feedback survey on a message that names the customer.",
    Network.SLACK: "Or choose ⋮ > Send feedback survey on a message of the customer.",
}
SHORTCUT_HINT = "Or choose ⋮ > Send feedback survey on a message of the customer, or on one that names them."


class Usage(NamedTuple):
    """One way to use the command."""

    example: str
    """With `{customer}` in the place of any customer."""
    description: str
    network: Network | None = None
    """Where the customer of the example is, or `None` for any."""


def help_message(usages: Sequence[Usage], networks: Collection[Network]) -> Message:
    """Return the help of an app whose customers are in these networks."""
    intro = introduction(networks)
    customer = name_example(networks)
    shown = [
        usage._replace(example=usage.example.format(customer=customer))
        for usage in usages
        if usage.network is None or usage.network in networks
    ]
    return build_message(
        escape_mrkdwn(intro),
        [
            rich_line(text(intro)),
            bullet_list(*map(_list_item, shown)),
            rich_line(text(shortcut_hint(networks))),
        ],
    )


def introduction(networks: Collection[Network]) -> str:
    """Return what `/csat` does."""
    return INTRO if len(networks) > 1 else INTROS[next(iter(networks))]


def shortcut_hint(networks: Collection[Network]) -> str:
    """Return where else the form can be opened."""
    return SHORTCUT_HINT if len(networks) > 1 else SHORTCUT_HINTS[next(iter(networks))]


def name_example(networks: Collection[Network]) -> str:
    """Return what stands for a customer in an example."""
    if len(networks) > 1:
        return "@customer"
    return "@handle" if Network.X in networks else "@person"


def problem_message(problem: str) -> Message:
    """Return the problem with a command, and where the help is, unless that says what to type."""
    return plain_message(problem if HELP in problem or AT_SIGN_HINT in problem else f"{problem} See {HELP}.")


def _list_item(usage: Usage) -> list[RichTextElement]:
    code = RichTextElementParts.TextStyle(code=True)
    return [RichTextElementParts.Text(text=usage.example, style=code), text(f"  {usage.description}")]

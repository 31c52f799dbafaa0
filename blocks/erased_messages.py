"""What is left in Slack of a customer who was forgotten."""

from typing import Final

from blocks.elements import Message, build_message, plain_message, rich_line, text, user_mention

_ASKED: Final = " asked a customer for feedback on X. (erased)"


def confirmation(requester: str) -> Message:
    """Tell the conversation that somebody was asked, and no more."""
    return build_message(f"<@{requester}>{_ASKED}", [rich_line(user_mention(requester), text(_ASKED))])


def private_message() -> Message:
    """Return what is left of a message to the requester."""
    return plain_message("A survey to a customer. (erased)")


def cancellation() -> Message:
    """Tell the requester that a survey of theirs which waited will not be sent."""
    return plain_message(
        "A survey that you asked for was called off: its customer was erased. Nothing was sent."
    )

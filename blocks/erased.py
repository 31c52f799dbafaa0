"""What is left in Slack of a customer who was forgotten."""

from typing import Final

from blocks.kit import Message, line, person, plain, text

_ASKED: Final = " asked a customer for feedback on X. (erased)"


def confirmation(requester: str) -> Message:
    """Tell the conversation that somebody was asked, and no more."""
    return Message(f"<@{requester}>{_ASKED}", [line(person(requester), text(_ASKED))])


def private() -> Message:
    """Return what is left of a message to the requester."""
    return plain("A survey to a customer. (erased)")


def called_off() -> Message:
    """Tell the requester that a survey of theirs which waited will not be sent."""
    return plain("A survey that you asked for was called off: its customer was erased. Nothing was sent.")

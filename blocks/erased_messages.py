"""The messages that replace those about an erased customer."""

from typing import Final

from blocks.elements import Message, build_message, plain_message, rich_line, text, user_mention

_CONFIRMATION: Final = " sent a survey to a customer. Their data has been deleted."


def confirmation(requester: str) -> Message:
    """Return what replaces the confirmation in the conversation."""
    return build_message(
        f"<@{requester}>{_CONFIRMATION}", [rich_line(user_mention(requester), text(_CONFIRMATION))]
    )


def private_message() -> Message:
    """Return what replaces a message to the requester."""
    return plain_message("This was about a survey to a customer whose data has been deleted.")


def question() -> Message:
    """Return what replaces the survey to a customer in Slack, also in a thread."""
    return plain_message("There was a question about our support here. It was deleted with your data.")


def cancellation() -> Message:
    """Tell the requester that their waiting survey was cancelled."""
    return plain_message(
        "A survey of yours was canceled: the customer's data has been deleted. Nothing was sent."
    )

"""The reasons for which Slack takes no survey, by its error codes.

The codes are those of chat.postMessage (https://docs.slack.dev/reference/methods/chat.postMessage).
"""

from collections.abc import Mapping
from types import MappingProxyType

from csat.surveys.transport_errors import Refused

SHORTCUT = (
    "⋮ > Send feedback survey on a message of theirs, in a channel with this app: "
    "then they are asked in its thread."
)
NOT_UP_TO_CUSTOMER = "That's not up to the customer."


class StrangerInSlack(Refused):
    """The person shares no channel with the app, or their company lets no app of others message them."""

    concerns_recipient = True
    advice = f"Slack doesn't let this app message this person. Choose {SHORTCUT}"


class NotAllowedInSlack(Refused):
    """A setting of the workspace, or of the customer's, keeps the app from writing."""

    advice = (
        f"A setting in Slack doesn't let this app write this message. {NOT_UP_TO_CUSTOMER} "
        "Ask an admin of your workspace, or of the customer's if that is another one, to allow it. "
        f"Until then, choose {SHORTCUT}"
    )
    fix = "Have an admin of the workspace allow it, in its settings for posting and for apps."


class MessagesTabOff(Refused):
    """The app's settings let it write no direct messages."""

    advice = (
        f"This app can't write direct messages, as its Messages tab is off. {NOT_UP_TO_CUSTOMER} "
        f"Ask an admin of this app to turn it on. Until then, choose {SHORTCUT}"
    )
    fix = "Turn on the Messages tab at api.slack.com/apps (App Home), as python app.py manifest has it."


class TooLongForSlack(Refused):
    """The message with its question is longer than Slack takes."""

    advice = (
        "Slack says that the message is too long. Shorten it and try again. "
        "If it is the one that the form suggests, ask an admin of this app to shorten CSAT_MESSAGE."
    )
    fix = "If it is the form's own message, shorten CSAT_MESSAGE."


class RefusedBySlack(Refused):
    """Any other reason; `str()` is Slack's error code."""

    advice = "Try again later, or ask an admin of this app."

    def sentence(self) -> str:
        """Return the text for the requester, with Slack's error code."""
        return f"Slack refused the message ({self}). {self.advice}"


class NotInvited(Refused):
    """The person can't be messaged, and the app is not in the channel of the thread."""

    advice = (
        "Slack lets this app neither message this person nor post in that thread. "
        "Invite the app to the channel, and try again."
    )


class ThreadClosed(Refused):
    """The person can't be messaged, and nobody, or not this app, may post in the thread."""

    advice = (
        "Slack lets this app neither message this person nor post in that thread, which is closed or gone. "
        "Choose ⋮ > Send feedback survey on a message of theirs in another channel that this app is in."
    )


REFUSALS: Mapping[str, type[Refused]] = MappingProxyType(
    {
        code: kind
        for kind, codes in {
            StrangerInSlack: (
                "invalid_user_combination",
                "user_not_visible",
                "user_not_found",
                "channel_not_found",
            ),
            NotAllowedInSlack: (
                "restricted_action",
                "no_permission",
                "access_denied",
                "ekm_access_denied",
                "enterprise_is_restricted",
                "team_access_not_granted",
                "two_factor_setup_required",
            ),
            MessagesTabOff: ("messages_tab_disabled",),
            TooLongForSlack: ("msg_too_long", "msg_blocks_too_long"),
        }.items()
        for code in codes
    }
)
"""The refusals of a direct message by Slack's error codes."""

NOT_IN_CHANNEL_CODES = frozenset({"not_in_channel", "channel_not_found"})
"""Slack's errors for a channel that the app is not in."""


def refusal_of_direct_message(code: str) -> Refused:
    """Return what Slack means by refusing a direct message."""
    return REFUSALS.get(code, RefusedBySlack)(code)


def refusal_of_invitation(code: str) -> Refused:
    """Return what Slack means by refusing to post in the thread of somebody who can't be messaged."""
    return NotInvited(code) if code in NOT_IN_CHANNEL_CODES else ThreadClosed(code)

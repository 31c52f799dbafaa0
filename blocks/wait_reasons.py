"""The sentences that say why a survey waits, and what comes of it."""

from datetime import datetime
from typing import Final, NamedTuple

NOT_ACCEPTED_YET: Final = "X hasn't accepted it yet."
"""Why a survey waits whose first request is on its way, or in front of it."""

NOT_TAKEN_BY_SLACK_YET: Final = "Slack hasn't taken it yet."

ACCOUNT_PAUSED: Final = "X isn't accepting surveys ({cause}). An admin of this app has to fix this."
"""Why a survey waits whose account is paused."""

OTHER_ACCOUNT: Final = "This survey belongs to an X account that this app isn't using now."
"""Why a survey waits that was accepted before an operator changed the X account, or left X."""


class WaitReason(NamedTuple):
    """Why a survey waits, and what comes of it."""

    sentence: str = NOT_ACCEPTED_YET
    promise: str = "We'll send it automatically"
    until: datetime | None = None
    """When it is tried again, if X said so."""


WAITS_FOR_X: Final = WaitReason()
WAITS_FOR_SLACK: Final = WaitReason(NOT_TAKEN_BY_SLACK_YET)
WAITS_FOR_OTHER_ACCOUNT: Final = WaitReason(
    OTHER_ACCOUNT, "We'll send it once this app has that account's keys again,"
)


def account_paused(cause: str) -> WaitReason:
    """Return why a survey waits while X refuses its account; `cause` is a clause in which "it" is X."""
    promise = "The survey waits for up to a day: once this is fixed, we'll send it"
    return WaitReason(ACCOUNT_PAUSED.format(cause=cause), promise)

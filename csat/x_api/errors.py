"""The errors of X's API, by what to do about them.

    TransportError
    ├── Refused
    │   └── XRefusal                    final: nothing was delivered
    │       ├── AccountRefused          keep all surveys of the account until it is fixed
    │       │   ├── InvalidCredentials  the account's keys or token are wrong or revoked
    │       │   ├── ClockSkew           the signature's time is too far from X's
    │       │   ├── AppSuspended        X has suspended the X app
    │       │   ├── NotAllowed          the X app may not use this API or direct messages
    │       │   ├── NotSigned           X saw no credentials
    │       │   ├── SenderSuspended
    │       │   ├── SenderLocked
    │       │   ├── SenderRestricted    X refuses messages of the account, whoever the customer is
    │       │   ├── AppNotEnrolled      the X app is in no project or package
    │       │   ├── DirectMessagesNotAllowed
    │       │   └── OutOfCredit         the X app has no API credit left
    │       ├── ParameterMissing
    │       ├── RecipientSuspended
    │       ├── RecipientUnknown
    │       ├── RecipientClosed         the customer can't be messaged
    │       │   ├── RecipientDoesNotFollow
    │       │   └── MessageRejected     X names the reason
    │       ├── TakesVerifiedOnly       the customer takes no messages from accounts that are not verified
    │       ├── LooksAutomated
    │       ├── OperationNotPermitted   a rule that the message breaks; if repeated, `SenderRestricted`
    │       ├── MessageTooLong
    │       ├── LookUpRefused           the app may not look up handles
    │       └── RefusedByX              any other reason
    ├── RetryLater                      temporary: nothing was delivered
    │   ├── XBusy
    │   │   └── Unreadable              X's response can't be read, or is too large
    │   └── RateLimited                 X answers no more requests of the account until then
    │       └── DailyLimitReached       X takes no more surveys of the account in these 24 hours
    ├── Uncertain                       X may have delivered it: never retry
    │   ├── Unanswered
    │   └── Unconfirmed                 X has answered, but does not say whether it delivered it
    └── InvalidFeedback                 X reported a response that can't be true: ignore it

The reasons for which X refuses a survey are in `refusals.py`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from csat.surveys.transport_errors import Refused, RetryLater, TransportError, Uncertain

_CHECK_THE_CONVERSATION = "Check the conversation on X and choose what you see."


class XRefusal(Refused):
    """X will not deliver this survey."""

    codes: ClassVar[frozenset[int]] = frozenset()
    """X's error codes for this refusal."""
    message_pattern: ClassVar[re.Pattern[str] | None] = None
    """A part of X's message, for codes with several meanings."""
    shows_api_message: ClassVar[bool] = False
    """Whether X's own message helps the requester."""

    def sentence(self) -> str:
        """Return the text for the requester."""
        if self.shows_api_message and self.api_message:
            return f"{self.advice} X says: “{self.api_message}”"
        return self.advice


class AccountRefused(XRefusal):
    """X refuses all surveys of the account or the app: they are kept for a day, until somebody fixes it."""

    is_retryable = True
    editable = False
    advice = "Once an admin of this app has fixed that, send a new survey."
    """For the requester of a survey that was given up after that day."""
    reason: ClassVar[str] = "it refuses this app's requests"
    """Why X accepts no surveys: a clause, in which "it" is X."""
    fix = "Check the app's status at developer.x.com."
    concerns_all_requests: ClassVar[bool] = True
    """Whether X refuses every request for it, and not only those to some endpoints."""

    def sentence(self) -> str:
        """Return the text for the requester of a survey that was given up."""
        return f"X accepted no surveys for a day ({self.reason}). {self.advice}"


class XBusy(RetryLater):
    """X can't handle the request at the moment, or can't be reached."""

    advice = "X was busy or unreachable for a day, so we gave up. Try again later."
    reason = "X is busy or can't be reached."


class Unreadable(XBusy):
    """X has answered with something that can't be read, or is too large."""


class RateLimited(RetryLater):
    """The account has made too many requests."""

    advice = "X's rate limit was used up for a day, so we gave up. Try again later."
    reason = "X's rate limit is used up."
    names_time = True


class DailyLimitReached(RateLimited):
    """The account has sent too many surveys within 24 hours."""

    advice = "X's limit for 24 hours was used up for a day, so we gave up. Try again later."
    reason = "X's limit for 24 hours is used up."


class Unanswered(Uncertain):
    """X has not answered."""

    advice = f"We got no confirmation from X, and haven't sent it again. {_CHECK_THE_CONVERSATION}"


class Unconfirmed(Uncertain):
    """X has answered with an error of its own, or with something that can't be read."""

    advice = f"X's answer didn't confirm delivery. We haven't sent it again. {_CHECK_THE_CONVERSATION}"


class InvalidFeedback(TransportError):
    """X reported a response that can't be true, or that can't be parsed; nobody is told."""


WAITING_REASONS: Mapping[str, type[RetryLater]] = MappingProxyType(
    {kind.__name__: kind for kind in (XBusy, RateLimited, DailyLimitReached, Unreadable)}
)
"""The errors for which a survey waits, by the reason that the database keeps."""

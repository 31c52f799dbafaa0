"""The errors of X's API, by what to do about them.

    XError
    ├── Refused                     final: nothing was delivered
    │   ├── AccountRefused          keep all surveys of the account until it is fixed
    │   │   ├── InvalidCredentials  the account's keys or token are wrong or revoked
    │   │   ├── ClockSkew           the signature's time is too far from X's
    │   │   ├── AppSuspended        X has suspended the X app
    │   │   ├── NotAllowed          the X app may not use this API or direct messages
    │   │   ├── NotSigned           X saw no credentials
    │   │   ├── SenderSuspended
    │   │   ├── SenderLocked
    │   │   └── OutOfCredit         the X app has no API credit left
    │   ├── ParameterMissing
    │   ├── RecipientSuspended
    │   ├── RecipientUnknown
    │   ├── RecipientClosed         the customer can't be messaged
    │   │   ├── RecipientDoesNotFollow
    │   │   └── MessageRejected     X names the reason
    │   ├── LooksAutomated
    │   ├── MessageTooLong
    │   ├── LookUpRefused           the app may not look up handles
    │   │   └── LookUpOutOfCredit   the X app has no API credit left to look them up
    │   └── RefusedByX              any other reason
    ├── RetryLater                  temporary: nothing was delivered, retry at `until` or with backoff
    │   ├── RateLimited             X answers no more requests of the account until then
    │   │   └── DailyLimitReached   X takes no more surveys of the account in these 24 hours
    │   └── Unreadable              X's response can't be read, or is too large
    ├── Uncertain                   X may have delivered it: never retry
    │   └── Unconfirmed             X has answered, but does not say whether it delivered it
    └── InvalidFeedback             X reported a response that can't be true: ignore it

The codes are those of X's error table for API v1.1 (https://docs.x.com/x-api/fundamentals/response-codes-and-errors)
and of its direct message endpoints.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar

_CHECK_THE_CONVERSATION = "Check the conversation on X and choose what you see."


class XError(Exception):
    """A request to X failed; `str()` is for the log, `advice` for the requester."""

    advice: ClassVar[str]
    is_retryable: ClassVar[bool] = False
    """Whether the survey is kept and tried again."""

    def __init__(self, summary: str = "", *, api_message: str = "", raw: str = "") -> None:
        super().__init__(summary)
        self.api_message = api_message
        """X's own error message; it may name people, so it is not logged."""
        self.raw = raw
        """The beginning of X's response, or the connection error."""

    @property
    def detail(self) -> str:
        """Everything that is known, for the database and the operator."""
        return ": ".join(part for part in (str(self), self.api_message or self.raw) if part)


class RetryLater(XError):
    """Nothing was delivered; the same request may succeed later."""

    is_retryable = True
    advice = "X was busy or unreachable for a day, so we gave up. Try again later."
    reason: ClassVar[str] = "X is busy or can't be reached."
    """Why a survey waits: a sentence for the requester."""
    names_time: ClassVar[bool] = False
    """Whether the requester is told when the survey is tried again."""

    def __init__(
        self, summary: str = "", *, api_message: str = "", raw: str = "", until: datetime | None = None
    ) -> None:
        super().__init__(summary, api_message=api_message, raw=raw)
        self.until = until
        """When the rate limit resets, if X said so."""


class RateLimited(RetryLater):
    """The account has made too many requests."""

    advice = "X's rate limit was used up for a day, so we gave up. Try again later."
    reason = "X's rate limit is used up."
    names_time = True


class DailyLimitReached(RateLimited):
    """The account has sent too many surveys within 24 hours."""

    advice = "X's limit for 24 hours was used up for a day, so we gave up. Try again later."
    reason = "X's limit for 24 hours is used up."


class Unreadable(RetryLater):
    """X has answered with something that can't be read, or is too large."""


class Uncertain(XError):
    """The request was sent, and its outcome is unknown."""

    advice = f"We got no confirmation from X, and haven't sent it again. {_CHECK_THE_CONVERSATION}"


class Unconfirmed(Uncertain):
    """X has answered with an error of its own, or with something that can't be read."""

    advice = f"X's answer didn't confirm delivery. We haven't sent it again. {_CHECK_THE_CONVERSATION}"


class InvalidFeedback(XError):
    """X reported a response that can't be true, or that can't be parsed; nobody is told."""


class Refused(XError):
    """X will not deliver this survey."""

    codes: ClassVar[frozenset[int]] = frozenset()
    """X's error codes for this refusal."""
    message_pattern: ClassVar[re.Pattern[str] | None] = None
    """What X's message must contain, for codes with several meanings."""
    editable: ClassVar[bool] = True
    """Whether the requester can fix it in the form."""
    shows_api_message: ClassVar[bool] = False
    """Whether X's own message helps the requester."""

    def sentence(self) -> str:
        """Return the text for the requester."""
        if self.shows_api_message and self.api_message:
            return f"{self.advice} X says: “{self.api_message}”"
        return self.advice


class AccountRefused(Refused):
    """X refuses all surveys of the account or the app: they are kept for a day, until somebody fixes it."""

    is_retryable = True
    editable = False
    advice = "Once an admin of this app has fixed that, send a new survey."
    """For the requester of a survey that was given up after that day."""
    reason: ClassVar[str] = "it refuses this app's requests"
    """Why X accepts no surveys: a clause, in which "it" is X."""
    fix: ClassVar[str] = "Check the app's status at developer.x.com."
    """What an operator can do about it."""
    concerns_all_requests: ClassVar[bool] = True
    """Whether X refuses every request for it, and not only those to some endpoints."""

    def sentence(self) -> str:
        """Return the text for the requester of a survey that was given up."""
        return f"X accepted no surveys for a day ({self.reason}). {self.advice}"


class InvalidCredentials(AccountRefused):
    codes = frozenset({32, 89})
    reason = "it rejects this app's keys"
    fix = (
        "Compare the X_ settings with developer.x.com (your app, Keys and tokens), "
        "make a new access token if the old one was revoked, and restart the app."
    )


class ClockSkew(AccountRefused):
    codes = frozenset({135})
    reason = "the clock of this app's server is wrong"
    fix = "Correct the server's clock, and keep it synchronized (NTP)."


class AppSuspended(AccountRefused):
    codes = frozenset({416})
    reason = "it has suspended this app"
    fix = "See at developer.x.com why the app is suspended, and resolve that with X."


class NotAllowed(AccountRefused):
    codes = frozenset({87, 220, 453, 93, 261})
    concerns_all_requests = False
    reason = "it doesn't allow this app to send them"
    fix = (
        "Check at developer.x.com that the app is active and may write direct messages, "
        "and ask your X account manager whether it may use the Customer Feedback API."
    )


class NotSigned(AccountRefused):
    codes = frozenset({215})
    reason = "it gets this app's requests unsigned"
    fix = "Check X_API_URL, and that no proxy in between removes the Authorization header."


class OutOfCredit(AccountRefused):
    """X answered 402; its message is not kept, as it holds the id of the account that pays."""

    concerns_all_requests = False
    reason = "this app has no API credit left"
    fix = "Buy credit for the app's project at developer.x.com."


class ParameterMissing(Refused):
    codes = frozenset({38})
    shows_api_message = True
    advice = "X says that part of the survey is missing. Check the form and send it again."


class RecipientSuspended(Refused):
    codes = frozenset({63})
    advice = "X has suspended this customer's account, so they can't get a survey."


class RecipientUnknown(Refused):
    codes = frozenset({34, 50, 108})
    advice = (
        "There is no such customer on X: the account may have been deleted or renamed. "
        "Check the handle or ID."
    )


class RecipientClosed(Refused):
    codes = frozenset({150, 349, 214})
    shows_api_message = True
    advice = (
        "This customer can't be messaged: they turned off messages, blocked you, or don't follow you. "
        "Ask them on X to write to you first, then send the survey."
    )


class RecipientDoesNotFollow(RecipientClosed):
    codes = frozenset({326})
    message_pattern = re.compile(r"follow", re.IGNORECASE)
    advice = (
        "This customer can't be messaged, because they don't follow your brand. "
        "Ask them on X to follow you or to write to you first, then send the survey."
    )


class MessageRejected(RecipientClosed):
    codes = frozenset({151})
    advice = (
        "This customer can't be messaged for now. "
        "Ask them on X to accept your messages or to write to you first, then send the survey."
    )


class SenderSuspended(AccountRefused):
    codes = frozenset({64})
    reason = "it has suspended your brand's account"
    fix = "The account's owner has to resolve this with X."


class SenderLocked(AccountRefused):
    codes = frozenset({326})
    reason = "it has locked your brand's account"
    fix = "Log in to the account on x.com to unlock it."


class LooksAutomated(Refused):
    codes = frozenset({226})
    advice = "X thinks this message looks automated. Put it in your own words and send it again."


class MessageTooLong(Refused):
    codes = frozenset({354})
    advice = "X says the message is too long. Shorten it and send it again."


class LookUpRefused(Refused):
    advice = (
        "X doesn't allow this app to look up handles. "
        "Enter the customer's numeric ID, or ask an admin of this app."
    )


class LookUpOutOfCredit(LookUpRefused):
    advice = (
        "This app has no API credit left to look up handles on X. "
        "Enter the customer's numeric ID, or ask an admin of this app."
    )


class RefusedByX(Refused):
    shows_api_message = True
    advice = "X refused the survey. Check the form and try again later, or ask an admin of this app."


def _all_subclasses(kind: type[Refused]) -> list[type[Refused]]:
    return [cls for subclass in kind.__subclasses__() for cls in (*_all_subclasses(subclass), subclass)]


REFUSALS: tuple[type[Refused], ...] = tuple(
    sorted(
        (kind for kind in _all_subclasses(Refused) if kind is not AccountRefused),
        key=lambda kind: kind.message_pattern is None,
    )
)
"""Every refusal; those with a `message_pattern` come first, as their codes have other meanings too."""

ACCOUNT_REFUSALS: Mapping[str, type[AccountRefused]] = MappingProxyType(
    {kind.__name__: kind for kind in REFUSALS if issubclass(kind, AccountRefused)}
)
"""The reasons for which an account is paused, by the cause that the database keeps."""

WAITING_REASONS: Mapping[str, type[RetryLater]] = MappingProxyType(
    {kind.__name__: kind for kind in (RetryLater, RateLimited, DailyLimitReached, Unreadable)}
)
"""The errors for which a survey waits, by the reason that the database keeps."""

"""The errors of X's API, by what to do about them.

    XError
    ├── Refused                     final: nothing was delivered
    │   ├── AccountRefused          keep all surveys of the account until it is fixed
    │   │   ├── InvalidCredentials  the account's keys or token are wrong or revoked
    │   │   ├── ClockSkew           the signature's time is too far from X's
    │   │   ├── NotAllowed          the X app may not use this API or direct messages
    │   │   ├── NotSigned           X saw no credentials
    │   │   ├── SenderSuspended
    │   │   └── SenderLocked
    │   ├── ParameterMissing
    │   ├── RecipientSuspended
    │   ├── RecipientUnknown
    │   ├── RecipientClosed         the customer can't be messaged
    │   │   └── RecipientDoesNotFollow
    │   ├── LooksAutomated
    │   ├── MessageTooLong
    │   ├── LookUpRefused           the app may not look up handles
    │   └── RefusedByX              any other reason
    ├── RetryLater                  temporary: nothing was delivered, retry at `until` or with backoff
    ├── Uncertain                   X may have delivered it: never retry
    └── InvalidFeedback             X reported a response that can't be true: ignore it

The codes are those of X's error table for API v1.1 (https://docs.x.com/x-api/fundamentals/response-codes-and-errors)
and of its direct message endpoints.
"""

import re
from datetime import datetime
from typing import ClassVar


class XError(Exception):
    """A request to X failed; `str()` is for the log, `advice` for the requester."""

    advice: ClassVar[str] = "X did not send the survey."
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
    advice = "X is busy or can't be reached. The survey is kept and sent as soon as X accepts it."

    def __init__(
        self, summary: str = "", *, api_message: str = "", raw: str = "", until: datetime | None = None
    ) -> None:
        super().__init__(summary, api_message=api_message, raw=raw)
        self.until = until
        """When the rate limit resets, if X said so."""


class Uncertain(XError):
    """The request was sent, and its outcome is unknown."""

    advice = (
        "X didn't reply, so the customer may or may not have got it. It was not sent again. "
        "Check the conversation on X and choose below what you see, or wait for X's records tomorrow."
    )


class InvalidFeedback(XError):
    """X reported a response that can't be true, or that can't be parsed."""


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
    """X refuses all surveys of the account or the app, until somebody fixes it: they are kept until then."""

    is_retryable = True
    editable = False


class InvalidCredentials(AccountRefused):
    codes = frozenset({32, 89})
    advice = (
        "X no longer accepts this app's keys for your brand's account. "
        "Ask an admin of this app to reconnect the X account, then send the survey again."
    )


class ClockSkew(AccountRefused):
    codes = frozenset({135})
    advice = (
        "X refused the request because this server's clock is wrong. Ask an admin of this app to correct it."
    )


class NotAllowed(AccountRefused):
    codes = frozenset({416, 87, 220, 453, 93, 261})
    advice = (
        "X doesn't allow this app to send feedback surveys or direct messages, or has suspended it. "
        "Ask an admin of this app to contact your X account manager."
    )


class NotSigned(AccountRefused):
    codes = frozenset({215})
    advice = (
        "The request reached X without its signature. "
        "Ask an admin of this app to check the X settings and any proxy in between."
    )


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
    codes = frozenset({150, 349, 151, 214})
    shows_api_message = True
    advice = (
        "This customer can't be messaged: they closed their messages, blocked you, or don't follow you. "
        "Ask them on X to write to you first, then send the survey."
    )


class RecipientDoesNotFollow(RecipientClosed):
    codes = frozenset({326})
    message_pattern = re.compile(r"follow", re.IGNORECASE)
    advice = (
        "This customer can't be messaged, because they don't follow your brand. "
        "Ask them on X to follow you or to write to you first, then send the survey."
    )


class SenderSuspended(AccountRefused):
    codes = frozenset({64})
    advice = "X has suspended your brand's account. Its owner must resolve this with X first."


class SenderLocked(AccountRefused):
    codes = frozenset({326})
    advice = (
        "X has locked your brand's account. Log in to it on x.com to unlock it, then send the survey again."
    )


class LooksAutomated(Refused):
    codes = frozenset({226})
    advice = "X thinks this message looks automated. Put it in your own words and send it again."


class MessageTooLong(Refused):
    codes = frozenset({354})
    advice = "X says the message is too long. Shorten it and send it again."


class LookUpRefused(Refused):
    advice = "X can't look up handles for this app at the moment. Enter the customer's numeric ID instead."


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

"""What X can say instead of a receipt, and what the person who asked should read.

    XError
    ├── Refused               final: nothing was delivered
    │   ├── InvalidCredentials  the account's keys or token are wrong or revoked
    │   ├── ClockSkew         the signature's time is too far from X's
    │   ├── NotAllowed        the X app may not use this API or direct messages
    │   ├── NotSigned         X saw no credentials
    │   ├── ParameterMissing
    │   ├── RecipientSuspended
    │   ├── RecipientUnknown
    │   ├── SenderSuspended
    │   ├── SenderLocked
    │   ├── RecipientClosed   this customer can't be messaged
    │   │   └── RecipientDoesNotFollow
    │   ├── LooksAutomated
    │   ├── MessageTooLong
    │   ├── LookUpRefused     X does not tell the app the id of a handle
    │   └── RefusedByX        anything else, in X's own words
    ├── RetryLater            nothing was delivered yet: try again, not before `until` where X named a time
    ├── Uncertain             X may or may not have delivered it: never repeated blindly
    └── InvalidFeedback       X tells of an answer that can't be: it is not taken

The rows are those of X's error table for API v1.1 (https://docs.x.com/x-api/fundamentals/response-codes-and-errors)
and of its direct message endpoints.
"""

import re
from datetime import datetime
from typing import ClassVar


class XError(Exception):
    """X did not give a receipt; `str()` is for the log, `advice` for the person who asked."""

    advice: ClassVar[str] = "X did not send the survey."
    waits: ClassVar[bool] = False
    """Whether the survey is kept for another try."""

    def __init__(self, summary: str = "", *, words: str = "", raw: str = "") -> None:
        super().__init__(summary)
        self.words = words
        """X's own words, where it gave any; they may name people, and are kept out of the log."""
        self.raw = raw
        """The beginning of what X answered, where it gave no words."""

    @property
    def detail(self) -> str:
        """All that is known, for the ledger and the operator."""
        return ": ".join(part for part in (str(self), self.words or self.raw) if part)


class RetryLater(XError):
    """Surely nothing was delivered; worth another try."""

    waits: ClassVar[bool] = True

    advice = "X is busy or can't be reached. The survey waits and is sent as soon as X takes it."

    def __init__(
        self, summary: str = "", *, words: str = "", raw: str = "", until: datetime | None = None
    ) -> None:
        super().__init__(summary, words=words, raw=raw)
        self.until = until
        """When X takes requests again, where it said so."""


class Uncertain(XError):
    """The request left, and nobody knows what became of it."""

    advice = (
        "X did not answer, so it was not sent again: the customer may have got it. Look at the conversation "
        "on X and say what you see; tomorrow X's own record tells."
    )


class InvalidFeedback(XError):
    """X tells of an answer that nobody can have given, or in a way that can't be read."""


class Refused(XError):
    """X will not deliver this survey."""

    pauses: ClassVar[bool] = False
    """Whether it is about the account or the app as a whole: then every survey waits until it is mended."""
    codes: ClassVar[frozenset[int]] = frozenset()
    """The codes of X that mean this."""
    about: ClassVar[re.Pattern[str] | None] = None
    """Where one code has several meanings: what X's message must contain."""
    editable: ClassVar[bool] = True
    """Whether the person who asked can mend it in the form."""

    quotes_x: ClassVar[bool] = False
    """Whether X's own words tell the person more."""

    def sentence(self) -> str:
        """Return what the person who asked should read."""
        return f"{self.advice} X says: “{self.words}”" if self.quotes_x and self.words else self.advice


class InvalidCredentials(Refused):
    codes = frozenset({32, 89})
    editable = False
    pauses = waits = True
    advice = (
        "X no longer accepts this app's keys for your brand's account. "
        "Ask whoever runs the app to reconnect the X account, then send the survey again."
    )


class ClockSkew(Refused):
    codes = frozenset({135})
    editable = False
    pauses = waits = True
    advice = "X refused the request because this server's clock is wrong. Ask whoever runs the app to set it."


class NotAllowed(Refused):
    codes = frozenset({416, 87, 220, 453, 93, 261})
    editable = False
    pauses = waits = True
    advice = (
        "X does not allow this app to send feedback surveys or direct messages, or has suspended it. "
        "Ask whoever runs the app to take it up with your X account manager."
    )


class NotSigned(Refused):
    codes = frozenset({215})
    editable = False
    pauses = waits = True
    advice = (
        "The request reached X without its signature. "
        "Ask whoever runs the app to check the X settings and any proxy in between."
    )


class ParameterMissing(Refused):
    codes = frozenset({38})
    quotes_x = True
    advice = "X says that a part of the survey is missing. Check the form and send it again."


class RecipientSuspended(Refused):
    codes = frozenset({63})
    advice = "X has suspended this customer's account, so they can't get a survey."


class RecipientUnknown(Refused):
    codes = frozenset({34, 50, 108})
    advice = "X knows no such customer: the account may have been deleted or renamed. Check the handle or id."


class RecipientClosed(Refused):
    codes = frozenset({150, 349, 151, 214})
    quotes_x = True
    advice = (
        "This customer can't be messaged: they closed their messages, blocked you, or don't follow you. "
        "Ask them on X to write to you first, then send the survey."
    )


class RecipientDoesNotFollow(RecipientClosed):
    codes = frozenset({326})
    about = re.compile(r"follow", re.IGNORECASE)
    advice = (
        "This customer can't be messaged, because they don't follow your brand. "
        "Ask them on X to follow you or to write to you first, then send the survey."
    )


class SenderSuspended(Refused):
    codes = frozenset({64})
    editable = False
    pauses = waits = True
    advice = "X has suspended your brand's account. Whoever owns it must sort this out with X first."


class SenderLocked(Refused):
    codes = frozenset({326})
    editable = False
    pauses = waits = True
    advice = (
        "X has locked your brand's account. Log in to it on x.com to unlock it, then send the survey again."
    )


class LooksAutomated(Refused):
    codes = frozenset({226})
    advice = "X thinks that this message looks automated. Put it in your own words and send it again."


class MessageTooLong(Refused):
    codes = frozenset({354})
    advice = "X says that the message is too long. Shorten it and send it again."


class LookUpRefused(Refused):
    advice = "X can't look up handles for this app at the moment. Enter the customer's numeric id instead."


class RefusedByX(Refused):
    quotes_x = True
    advice = "X refused the survey. Check the form and try again later, or ask whoever runs the app."


def _rows(kind: type[Refused]) -> list[type[Refused]]:
    return [row for below in kind.__subclasses__() for row in (*_rows(below), below)]


REFUSALS: tuple[type[Refused], ...] = tuple(sorted(_rows(Refused), key=lambda row: row.about is None))
"""Every refusal, those that also look at X's message first."""

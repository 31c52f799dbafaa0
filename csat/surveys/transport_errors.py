"""The errors of transports, by what to do about them.

    TransportError
    ├── Refused       final: nothing was delivered
    ├── RetryLater    temporary: nothing was delivered, retry at `until` or with backoff
    └── Uncertain     it may have been delivered: never retry

What X and Slack mean by theirs is in `csat.x_api` and `csat.transports`.
"""

from datetime import datetime
from typing import ClassVar


class TransportError(Exception):
    """A request of a transport failed; `str()` is for the log, `advice` for the requester."""

    advice: ClassVar[str]
    is_retryable: ClassVar[bool] = False
    """Whether the survey is kept and tried again."""

    def __init__(self, summary: str = "", *, api_message: str = "", raw: str = "") -> None:
        super().__init__(summary)
        self.api_message = api_message
        """The API's own error message; it may name people, so it is not logged."""
        self.raw = raw
        """The beginning of the response, or the connection error."""

    @property
    def detail(self) -> str:
        """Everything that is known, for the database and the operator."""
        return ": ".join(part for part in (str(self), self.api_message or self.raw) if part)


class Refused(TransportError):
    """The survey will not be delivered."""

    editable: ClassVar[bool] = True
    """Whether the requester can fix it in the form."""
    concerns_recipient: ClassVar[bool] = False
    """Whether the reason is the customer's account, whatever the survey and whoever sends it."""
    fix: ClassVar[str] = ""
    """Advice to an operator, or "" if the installation is not the reason."""

    def sentence(self) -> str:
        """Return the text for the requester."""
        return self.advice


class RetryLater(TransportError):
    """Nothing was delivered; the same request may succeed later."""

    is_retryable = True
    reason: ClassVar[str]
    """Why a survey waits: a sentence for the requester."""
    names_time: ClassVar[bool] = False
    """Whether the requester is told when the survey is tried again."""

    def __init__(
        self, summary: str = "", *, api_message: str = "", raw: str = "", until: datetime | None = None
    ) -> None:
        super().__init__(summary, api_message=api_message, raw=raw)
        self.until = until
        """When to retry, if the response said so."""


class Uncertain(TransportError):
    """The request was sent, and its outcome is unknown."""

    advice = "We got no confirmation that the survey arrived, and haven't sent it again."

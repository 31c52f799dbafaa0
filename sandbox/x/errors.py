"""Errors of the fake X.

* ApiError               an error response: HTTP status, X's code and message
* CustomerActionError    an action that the customer can't take on the phone
  - FeedbackNotFound
  - AlreadyAnswered      a score or text can't be changed once given
  - ScoreOutOfRange
  - EmptyResponse
  - CardDismissed
"""


class ApiError(Exception):
    """An error response with X's `code` and `message`."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class CustomerActionError(Exception):
    """The customer can't take this action; `str()` is the reason shown on the page."""


class FeedbackNotFound(CustomerActionError):
    """No feedback has this id."""


class AlreadyAnswered(CustomerActionError):
    """This part of the response was already given."""


class ScoreOutOfRange(CustomerActionError):
    """The score is outside the scale of the feedback's type."""


class EmptyResponse(CustomerActionError):
    """The response has neither a score nor a text."""


class CardDismissed(CustomerActionError):
    """The customer dismissed the card."""

"""What the pretend X refuses.

* Refusal           an answer to the app: HTTP status, X's code and words
* NotPossible       what a customer can't do on the phone
  - NoSuchFeedback
  - AlreadyGiven    a score or a text never changes once given
  - OutOfScale
  - NothingGiven
  - Dismissed
"""


class Refusal(Exception):
    """X answers `status` with one error of `code` and `message`."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class NotPossible(Exception):
    """The customer can't do that; `str()` says why."""


class NoSuchFeedback(NotPossible):
    """There is no feedback of that id."""


class AlreadyGiven(NotPossible):
    """That part of the response was given before."""


class OutOfScale(NotPossible):
    """The score is not on the scale of this type."""


class NothingGiven(NotPossible):
    """Neither a score nor a text was given."""


class Dismissed(NotPossible):
    """The customer put the card away."""

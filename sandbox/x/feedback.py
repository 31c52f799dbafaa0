"""What the pretend X keeps of a survey, and what a customer's phone shows of it."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sandbox.x.errors import AlreadyGiven, Dismissed, NothingGiven, OutOfScale

T = TypeVar("T", int, str)


class Kind(enum.StrEnum):
    """The two types of Feedback; the values are X's own."""

    CSAT = "csat"
    NPS = "nps"


SCALES = {Kind.CSAT: range(1, 6), Kind.NPS: range(11)}
"""The scores a customer can choose from."""


class State(enum.StrEnum):
    """How far the customer went with a survey."""

    OPEN = "open"
    RATED = "rated"
    COMMENTED = "commented"
    DISMISSED = "dismissed"


@dataclass(frozen=True)
class Given(Generic[T]):
    """A part of the customer's response, and when it came."""

    value: T
    at: datetime


@dataclass
class Feedback:
    """One survey that X accepted; every id is a string."""

    id: str
    type: Kind
    dm_id: str
    from_user_id: str
    to_user_id: str
    message: str
    privacy_url: str
    question_variant_id: str
    display_name: str
    test: bool
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None
    score: Given[int] | None = None
    text: Given[str] | None = None
    dismissed: bool = False

    @property
    def state(self) -> State:
        """How far the customer went."""
        if self.dismissed:
            return State.DISMISSED
        if self.text:
            return State.COMMENTED
        return State.RATED if self.score else State.OPEN

    def respond(self, at: datetime, score: int | None = None, text: str | None = None) -> None:
        """Take a score, a text or both, all or nothing; raise NotPossible.

        Either may come first, and neither changes once given.
        """
        self._check(score, text)
        if score is not None:
            self.score = Given(score, at)
        if text is not None:
            self.text = Given(text, at)
        self.updated_at = at

    def dismiss(self, at: datetime) -> None:
        """Put the card away for good; what was given stays given."""
        if self.dismissed:
            raise Dismissed("This card was dismissed.")
        self.dismissed = True
        self.updated_at = at

    def _check(self, score: int | None, text: str | None) -> None:
        if self.dismissed:
            raise Dismissed("This card was dismissed.")
        if (score is not None and self.score) or (text is not None and self.text):
            raise AlreadyGiven("That was given before, and never changes.")
        if score is not None and score not in SCALES[self.type]:
            scale = SCALES[self.type]
            raise OutOfScale(f"The score must be {scale[0]} to {scale[-1]}.")
        if (score is None and text is None) or (text is not None and not text.strip()):
            raise NothingGiven("Give a score, a text, or both.")


@dataclass(frozen=True)
class DirectMessage:
    """One message on a customer's phone: the text, and the feedback card below it."""

    id: str
    feedback_id: str
    at: datetime
    sender: str
    text: str
    question: str
    scale: tuple[int, ...]
    privacy_url: str
    test: bool
    state: State
    rating: int | None
    comment: str | None

"""A feedback card as the fake X stores it, and as a customer's phone shows it."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sandbox.x.errors import AlreadyAnswered, CardDismissed, EmptyResponse, ScoreOutOfRange

T = TypeVar("T", int, str)


class FeedbackType(enum.StrEnum):
    """X's types of feedback."""

    CSAT = "csat"
    NPS = "nps"


SCALES = {FeedbackType.CSAT: range(1, 6), FeedbackType.NPS: range(11)}
"""Scores by type."""


class FeedbackState(enum.StrEnum):
    """State of a card on the customer's phone."""

    OPEN = "open"
    RATED = "rated"
    COMMENTED = "commented"
    DISMISSED = "dismissed"


@dataclass(frozen=True)
class ResponsePart(Generic[T]):
    """The score or the text of a response."""

    value: T
    at: datetime


@dataclass
class Feedback:
    """A survey accepted by X."""

    id: str
    type: FeedbackType
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
    score: ResponsePart[int] | None = None
    text: ResponsePart[str] | None = None
    dismissed: bool = False

    @property
    def state(self) -> FeedbackState:
        """The state of the card."""
        if self.dismissed:
            return FeedbackState.DISMISSED
        if self.text:
            return FeedbackState.COMMENTED
        return FeedbackState.RATED if self.score else FeedbackState.OPEN

    def respond(self, at: datetime, score: int | None = None, text: str | None = None) -> None:
        """Store a score, a text, or both, in any order; neither can be changed later.

        Raises CustomerActionError, and then stores nothing.
        """
        self._check_response(score, text)
        if score is not None:
            self.score = ResponsePart(score, at)
        if text is not None:
            self.text = ResponsePart(text, at)
        self.updated_at = at

    def dismiss(self, at: datetime) -> None:
        """Dismiss the card for good; a score or text already given is kept."""
        if self.dismissed:
            raise CardDismissed("This card was already dismissed.")
        self.dismissed = True
        self.updated_at = at

    def _check_response(self, score: int | None, text: str | None) -> None:
        if self.dismissed:
            raise CardDismissed("This card was already dismissed.")
        if (score is not None and self.score) or (text is not None and self.text):
            raise AlreadyAnswered("This was already answered and can't be changed.")
        if score is not None and score not in SCALES[self.type]:
            scale = SCALES[self.type]
            raise ScoreOutOfRange(f"The score must be between {scale[0]} and {scale[-1]}.")
        if (score is None and text is None) or (text is not None and not text.strip()):
            raise EmptyResponse("Give a score, a comment, or both.")


@dataclass(frozen=True)
class DirectMessage:
    """A direct message on a customer's phone: a text with a feedback card below it."""

    id: str
    feedback_id: str
    at: datetime
    sender: str
    text: str
    question: str
    scale: tuple[int, ...]
    privacy_url: str
    test: bool
    state: FeedbackState
    rating: int | None
    comment: str | None

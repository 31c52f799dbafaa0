"""What the pretend X keeps of a survey, and what a customer's phone shows of it."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

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

"""Responses: a customer's rating and comment, each given once and never changed."""

from datetime import datetime
from typing import Self, TypeVar

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import SCALES, Metric
from csat.surveys.receipt import Receipt

LOW_RATINGS = {Metric.CSAT: range(1, 3), Metric.NPS: range(7)}
"""The ratings that call for a follow-up."""


class Rating(FrozenModel):
    """A number on the metric's scale, and when the customer gave it."""

    value: int
    given_at: datetime


class Comment(FrozenModel):
    """A customer's comment, and when they wrote it."""

    text: str
    given_at: datetime


T = TypeVar("T", Rating, Comment)


class Response(FrozenModel):
    """A response so far: rating and comment arrive separately, and either may never arrive."""

    rating: Rating | None = None
    comment: Comment | None = None

    def merge(self, other: "Response") -> "Response":
        """Return both as one, with the earlier rating and the earlier comment; commutative."""
        return Response(
            rating=_earlier(self.rating, other.rating), comment=_earlier(self.comment, other.comment)
        )


class Update(FrozenModel):
    """The state of a delivered survey as X reports it, any number of times and in any order."""

    receipt: Receipt
    account: str
    """The id of the account on X that sent the survey."""
    metric: Metric
    response: Response = Response()

    @model_validator(mode="after")
    def _check_scale(self) -> Self:
        rating = self.response.rating
        if rating and rating.value not in SCALES[self.metric]:
            raise PydanticCustomError(
                "scale", "a rating that is not on the scale of {metric}", {"metric": self.metric}
            )
        return self


def is_low(metric: Metric, rating: int) -> bool:
    """Return True if a rating calls for a follow-up (CSAT 1-2, NPS 0-6)."""
    return rating in LOW_RATINGS[metric]


def _earlier(first: T | None, second: T | None) -> T | None:
    given = [item for item in (first, second) if item is not None]
    return min(given, key=_sort_key, default=None)


def _sort_key(item: Rating | Comment) -> tuple[datetime, int | str]:
    return item.given_at, item.value if isinstance(item, Rating) else item.text

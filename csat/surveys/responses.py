"""A response is what a customer answered: a rating, perhaps a comment, each given once and never changed."""

from datetime import datetime
from typing import Self, TypeVar

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import SCALES, Metric
from csat.surveys.survey import Receipt

LOW = {Metric.CSAT: range(1, 3), Metric.NPS: range(7)}
"""The ratings that somebody should look after."""


class Rating(FrozenModel):
    """A number on the metric's scale, and when the customer gave it."""

    value: int
    given_at: datetime


class Comment(FrozenModel):
    """A customer's own words, and when they wrote them."""

    text: str
    given_at: datetime


G = TypeVar("G", Rating, Comment)


class Response(FrozenModel):
    """What is known of an answer so far: rating and comment come apart, and either may never come."""

    rating: Rating | None = None
    comment: Comment | None = None

    def merged(self, other: "Response") -> "Response":
        """Return both as one: of two different ratings or comments the earlier stands, in whatever order."""
        return Response(
            rating=_earlier(self.rating, other.rating), comment=_earlier(self.comment, other.comment)
        )


class Update(FrozenModel):
    """What X tells of a survey that it delivered; any number of times, in any order."""

    receipt: Receipt
    account: str
    """The id of the account on X that sent it."""
    metric: Metric
    response: Response = Response()

    @model_validator(mode="after")
    def _on_the_scale(self) -> Self:
        rating = self.response.rating
        if rating and rating.value not in SCALES[self.metric]:
            raise PydanticCustomError(
                "scale", "a rating that is not on the scale of {metric}", {"metric": self.metric}
            )
        return self


def is_low(metric: Metric, rating: int) -> bool:
    """Tell whether a rating is one that somebody should look after (CSAT 1-2, NPS 0-6)."""
    return rating in LOW[metric]


def _earlier(one: G | None, other: G | None) -> G | None:
    given = [it for it in (one, other) if it is not None]
    return min(given, key=_order, default=None)


def _order(given: Rating | Comment) -> tuple[datetime, int | str]:
    return given.given_at, given.value if isinstance(given, Rating) else given.text

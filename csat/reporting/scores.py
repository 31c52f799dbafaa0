"""What ratings amount to: CSAT, NPS, and how they changed.

All figures are in percent (NPS: points), unrounded, and from counts alone: the same ratings give the same
figures to the digit, wherever they were counted. How they are written is said in `surveys.figures`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from csat.reporting.intervals import (
    Estimate,
    Interval,
    adjusted_wald,
    check_part,
    csat_estimate,
    nps_estimate,
    wilson,
)
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import SCALES, Metric
from csat.surveys.responses import LOW_RATINGS

Ratings = Mapping[int, int]
"""How often each rating was given; what nobody gave may be missing."""

HIGH: Mapping[Metric, range] = MappingProxyType({Metric.CSAT: range(4, 6), Metric.NPS: range(9, 11)})
"""The ratings of satisfied customers, and of promoters."""
REACH: Mapping[Metric, int] = MappingProxyType({Metric.CSAT: 100, Metric.NPS: 200})
"""By how many points a score can change at most."""

FEW_MIN = 5
"""With fewer ratings, no score: it would tell what single customers answered."""
ENOUGH_MIN = 30
"""With fewer ratings, a score comes with the words that they are few."""


class SampleSize(StrEnum):
    """What may be shown of so many ratings; the values are what is said of them."""

    TOO_FEW = "too few answers"
    """No score, no distribution, and no row of one agent's own."""
    FEW = "few answers"
    ENOUGH = ""


class Bands(NamedTuple):
    """How many were satisfied, neutral and dissatisfied; or promoters, passives and detractors."""

    high: int
    middle: int
    low: int


class Score(FrozenModel):
    """What some ratings amount to; without any rating there is no score."""

    metric: Metric
    n: int
    value: float
    """CSAT: 0 to 100, percent. NPS: -100 to 100, never percent."""
    interval: Interval
    estimate: Estimate
    """What a change is judged by."""
    mean: float | None = None
    """The average rating; of CSAT alone."""


class Change(FrozenModel):
    """How a score differs from an earlier one."""

    difference: float
    """Of the two values, in points."""
    interval: Interval

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0: only then may a change be claimed."""
        return self.interval.low > 0 or self.interval.high < 0


def score(metric: Metric, ratings: Ratings) -> Score | None:
    """Return the score of a metric's ratings, None without any; `ValueError` for impossible ones."""
    return csat(ratings) if metric is Metric.CSAT else nps(ratings)


def csat(ratings: Ratings) -> Score | None:
    """Return the percentage of ratings of 4 and 5, and Wilson's interval."""
    satisfied, neutral, dissatisfied = bands(Metric.CSAT, ratings)
    n = satisfied + neutral + dissatisfied
    if not n:
        return None
    return Score(
        metric=Metric.CSAT,
        n=n,
        value=100 * satisfied / n,
        interval=wilson(satisfied, n),
        estimate=csat_estimate(satisfied, n),
        mean=sum(rating * count for rating, count in ratings.items()) / n,
    )


def nps(ratings: Ratings) -> Score | None:
    """Return the percentage of promoters less that of detractors, and the adjusted Wald interval."""
    promoters, passives, detractors = bands(Metric.NPS, ratings)
    n = promoters + passives + detractors
    if not n:
        return None
    return Score(
        metric=Metric.NPS,
        n=n,
        value=100 * (promoters - detractors) / n,
        interval=adjusted_wald(promoters, detractors, n),
        estimate=nps_estimate(promoters, detractors, n),
    )


def change(now: Score | None, before: Score | None) -> Change | None:
    """Return how a score differs from an earlier one of its metric, None where one of them may not be shown.

    The interval is 1.96 x sqrt(SE1^2 + SE2^2) around the difference of the two estimates, with their errors.
    Around the difference of the plain values, small periods in which nothing changed would be called changed
    up to one time in four.
    """
    if not now or not before or SampleSize.TOO_FEW in (sample_size(now.n), sample_size(before.n)):
        return None
    if now.metric is not before.metric:
        raise ValueError("Scores of two metrics can't be compared.")
    apart = now.estimate.less(before.estimate)
    return Change(difference=now.value - before.value, interval=apart.interval(REACH[now.metric]))


def bands(metric: Metric, ratings: Ratings) -> Bands:
    """Return how many ratings are high, middling and low; `ValueError` for impossible ones."""
    counts = distribution(metric, ratings)
    high = sum(counts[rating] for rating in HIGH[metric])
    low = sum(counts[rating] for rating in LOW_RATINGS[metric])
    return Bands(high, sum(counts.values()) - high - low, low)


def distribution(metric: Metric, ratings: Ratings) -> Ratings:
    """Return how often each rating of the whole scale was given; `ValueError` for impossible ones.

    The sentences name no rating: they can end up in logs.
    """
    scale = SCALES[metric]
    if not ratings.keys() <= set(scale):
        raise ValueError(f"A rating of {metric.upper()} is a whole number from {scale[0]} to {scale[-1]}.")
    if min(ratings.values(), default=0) < 0:
        raise ValueError("No rating can be given less than 0 times.")
    return {rating: ratings.get(rating, 0) for rating in scale}


def rate(part: int, whole: int) -> float | None:
    """Return a part in percent of its whole, and None of nothing; `ValueError` for an impossible part.

    The response rate is that of answers to surveys sent, the comment rate that of comments to answers.
    """
    if part == whole == 0:
        return None
    check_part(part, whole)
    return 100 * part / whole


def sample_size(n: int) -> SampleSize:
    """Return what may be shown of so many ratings."""
    if n < FEW_MIN:
        return SampleSize.TOO_FEW
    return SampleSize.FEW if n < ENOUGH_MIN else SampleSize.ENOUGH

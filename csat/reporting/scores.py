"""Scores computed from ratings: CSAT, NPS, and their changes.

All figures are in percent (NPS: points) and unrounded, and depend on nothing but counts.
`csat.reporting.formatting` rounds them.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from csat.reporting.confidence_intervals import (
    Estimate,
    Interval,
    adjusted_wald_interval,
    check_proportion,
    csat_estimate,
    nps_estimate,
    wilson_interval,
)
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import SCALES, Metric
from csat.surveys.responses import LOW_RATINGS

Ratings = Mapping[int, int]
"""The number of times each rating was given; a rating that was never given may be missing."""

HIGH_RATINGS: Mapping[Metric, range] = MappingProxyType({Metric.CSAT: range(4, 6), Metric.NPS: range(9, 11)})
"""The ratings of satisfied customers and of promoters."""
MAX_CHANGE: Mapping[Metric, int] = MappingProxyType({Metric.CSAT: 100, Metric.NPS: 200})
"""The largest possible change of a score, in points."""

MIN_SCORE_RATINGS = 5
"""With fewer ratings no score is shown: each of them would be a quarter of it or more."""
MIN_RELIABLE_RATINGS = 30
"""With fewer ratings a score is marked as based on few answers."""


class SampleSize(StrEnum):
    """Whether a number of ratings is enough for a score; the values are shown with it."""

    TOO_FEW = "too few answers"
    """Show no score, no distribution, and no row for a single agent."""
    FEW = "few answers"
    ENOUGH = ""


class Bands(NamedTuple):
    """The number of satisfied, neutral and dissatisfied customers, or promoters, passives and detractors."""

    high: int
    middle: int
    low: int


class Score(FrozenModel):
    """The score of at least one rating."""

    metric: Metric
    n: int
    value: float
    """CSAT: 0 to 100, percent. NPS: -100 to 100, never percent."""
    interval: Interval
    estimate: Estimate
    """The basis for comparing scores."""
    mean: float | None = None
    """The average rating; only for CSAT."""


class Change(FrozenModel):
    """The difference between a score and an earlier one."""

    difference: float
    """The difference of the values, in points."""
    interval: Interval

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes 0: only then is the change shown."""
        return self.interval.low > 0 or self.interval.high < 0


def calculate_score(metric: Metric, ratings: Ratings) -> Score | None:
    """Return the score of a metric's ratings, None without ratings; raises `ValueError` for invalid ones."""
    return calculate_csat(ratings) if metric is Metric.CSAT else calculate_nps(ratings)


def calculate_csat(ratings: Ratings) -> Score | None:
    """Return the percentage of ratings of 4 and 5, with the Wilson interval."""
    satisfied, neutral, dissatisfied = count_bands(Metric.CSAT, ratings)
    n = satisfied + neutral + dissatisfied
    if not n:
        return None
    return Score(
        metric=Metric.CSAT,
        n=n,
        value=100 * satisfied / n,
        interval=wilson_interval(satisfied, n),
        estimate=csat_estimate(satisfied, n),
        mean=sum(rating * count for rating, count in ratings.items()) / n,
    )


def calculate_nps(ratings: Ratings) -> Score | None:
    """Return the percentage of promoters minus that of detractors, with the adjusted Wald interval."""
    promoters, passives, detractors = count_bands(Metric.NPS, ratings)
    n = promoters + passives + detractors
    if not n:
        return None
    return Score(
        metric=Metric.NPS,
        n=n,
        value=100 * (promoters - detractors) / n,
        interval=adjusted_wald_interval(promoters, detractors, n),
        estimate=nps_estimate(promoters, detractors, n),
    )


def compare_scores(current: Score | None, previous: Score | None) -> Change | None:
    """Return the change between two scores of the same metric, None if one of them may not be shown.

    The interval is 1.96 x sqrt(SE1^2 + SE2^2) around the difference of the two estimates, with their standard
    errors. An interval around the difference of the values would report a change in up to one of four small
    samples in which nothing changed.
    """
    if not current or not previous:
        return None
    if SampleSize.TOO_FEW in (classify_sample(current.n), classify_sample(previous.n)):
        return None
    if current.metric is not previous.metric:
        raise ValueError("Scores of different metrics can't be compared.")
    difference = current.estimate.minus(previous.estimate)
    return Change(
        difference=current.value - previous.value, interval=difference.interval(MAX_CHANGE[current.metric])
    )


def count_bands(metric: Metric, ratings: Ratings) -> Bands:
    """Return the number of high, middle and low ratings; raises `ValueError` for invalid ones."""
    counts = distribution(metric, ratings)
    high = sum(counts[rating] for rating in HIGH_RATINGS[metric])
    low = sum(counts[rating] for rating in LOW_RATINGS[metric])
    return Bands(high, sum(counts.values()) - high - low, low)


def distribution(metric: Metric, ratings: Ratings) -> Ratings:
    """Return the count of every rating on the scale; raises `ValueError` for invalid ones.

    The errors contain no ratings, since they may be logged.
    """
    scale = SCALES[metric]
    if not ratings.keys() <= set(scale):
        raise ValueError(f"A rating of {metric.upper()} is a whole number from {scale[0]} to {scale[-1]}.")
    if min(ratings.values(), default=0) < 0:
        raise ValueError("The count of a rating can't be negative.")
    return {rating: ratings.get(rating, 0) for rating in scale}


def percentage(part: int, whole: int) -> float | None:
    """Return a part in percent of its whole, None if both are 0; raises `ValueError` for an invalid part."""
    if part == whole == 0:
        return None
    check_proportion(part, whole)
    return 100 * part / whole


def classify_sample(n: int) -> SampleSize:
    """Return whether `n` ratings are enough for a score."""
    if n < MIN_SCORE_RATINGS:
        return SampleSize.TOO_FEW
    return SampleSize.FEW if n < MIN_RELIABLE_RATINGS else SampleSize.ENOUGH

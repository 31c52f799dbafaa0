"""95% confidence intervals of scores, all in percent."""

from math import sqrt
from typing import NamedTuple, Self

Z = 1.96
"""The number of standard errors within which 95% of a normal distribution lie."""


class Interval(NamedTuple):
    """A 95% confidence interval, if those who answered are like those who did not."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A figure adjusted for small samples, with its standard error."""

    value: float
    standard_error: float

    @classmethod
    def from_counts(cls, plus: float, minus: float, n: float) -> Self:
        """Return 100 x the mean of `n` numbers, of which `plus` are +1, `minus` are -1 and the rest 0."""
        mean = (plus - minus) / n
        return cls(100 * mean, 100 * sqrt(((plus + minus) / n - mean**2) / n))

    def minus(self, other: Self) -> Self:
        """Return the difference of two independent estimates, with the error sqrt(SE1^2 + SE2^2)."""
        return type(self)(self.value - other.value, sqrt(self.standard_error**2 + other.standard_error**2))

    def interval(self, limit: float) -> Interval:
        """Return the value +/- 1.96 standard errors, clamped to -limit and +limit."""
        margin = Z * self.standard_error
        return Interval(max(-limit, self.value - margin), min(limit, self.value + margin))


def wilson_interval(successes: int, n: int, z: float = Z) -> Interval:
    """Return the Wilson score interval of a proportion, 0 to 100; raises `ValueError` for invalid counts."""
    check_proportion(successes, n)
    middle = successes + z**2 / 2
    half = z * sqrt(successes * (n - successes) / n + z**2 / 4)
    low, high = (100 * bound / (n + z**2) for bound in (middle - half, middle + half))
    # with all or no successes one bound is 100 or 0, which floating point misses by a little
    return Interval(low if successes else 0.0, high if successes < n else 100.0)


def adjusted_wald_interval(promoters: int, detractors: int, n: int) -> Interval:
    """Return the interval of an NPS, -100 to 100 (Rocks 2016); raises `ValueError` for invalid counts.

    With this method a single customer's NPS of 100 or -100 lies just outside of it.
    """
    return nps_estimate(promoters, detractors, n).interval(100)


def csat_estimate(satisfied: int, n: int) -> Estimate:
    """Return the share of satisfied customers after adding one satisfied and one dissatisfied customer.

    Agresti and Caffo (2000) compare two proportions this way. By the plain formula, 4 of 4 has no error.
    """
    check_proportion(satisfied, n)
    return Estimate.from_counts(satisfied + 1, 0, n + 2)


def nps_estimate(promoters: int, detractors: int, n: int) -> Estimate:
    """Return the NPS after adding three customers: 3/4 promoters, 3/4 detractors and the rest passives."""
    for part in (promoters, detractors, promoters + detractors):
        check_proportion(part, n)
    return Estimate.from_counts(promoters + 0.75, detractors + 0.75, n + 3)


def check_proportion(part: int, whole: int) -> None:
    """Raise `ValueError` unless `part` can be a part of `whole`."""
    if not 0 <= part <= whole or not whole:
        raise ValueError("A part must be between 0 and its whole, and a whole at least 1.")

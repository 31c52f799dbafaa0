"""How sure one can be of a figure from so many answers: 95 % intervals, all of them in percent."""

from math import sqrt
from typing import NamedTuple, Self

Z = 1.96
"""95 % of a normal distribution lie within so many standard errors."""


class Interval(NamedTuple):
    """Where the truth lies with 95 % certainty, if those who answered are like those who did not."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A figure drawn towards the middle, as small samples need it, and its standard error."""

    middle: float
    error: float

    @classmethod
    def of(cls, plus: float, minus: float, n: float) -> Self:
        """Return 100 x the mean of `n` numbers, of which so many are +1 or -1 and the others 0."""
        mean = (plus - minus) / n
        return cls(100 * mean, 100 * sqrt(((plus + minus) / n - mean**2) / n))

    def less(self, other: Self) -> Self:
        """Return the difference of two independent estimates: its error is sqrt(SE1^2 + SE2^2)."""
        return type(self)(self.middle - other.middle, sqrt(self.error**2 + other.error**2))

    def interval(self, reach: float) -> Interval:
        """Return 1.96 standard errors on both sides of the middle, cut off at -reach and +reach."""
        return Interval(max(-reach, self.middle - Z * self.error), min(reach, self.middle + Z * self.error))


def wilson(successes: int, n: int, z: float = Z) -> Interval:
    """Return Wilson's score interval of a share, from 0 to 100; `ValueError` for an impossible one."""
    check_part(successes, n)
    middle = successes + z**2 / 2
    half = z * sqrt(successes * (n - successes) / n + z**2 / 4)
    low, high = (100 * bound / (n + z**2) for bound in (middle - half, middle + half))
    # where all or none succeed, one bound is 100 or 0, which floating point misses by a hair
    return Interval(low if successes else 0.0, high if successes < n else 100.0)


def adjusted_wald(promoters: int, detractors: int, n: int) -> Interval:
    """Return the interval of an NPS, from -100 to 100, after Rocks 2016; `ValueError` for an impossible one.

    A single customer's NPS of 100 or -100 lies just outside, as this method has it.
    """
    return nps_estimate(promoters, detractors, n).interval(100)


def csat_estimate(satisfied: int, n: int) -> Estimate:
    """Return the share of satisfied customers with two more customers, one of each kind.

    So do Agresti and Caffo 2000 to compare two shares. By the plain formula 4 of 4 have no error at all.
    """
    check_part(satisfied, n)
    return Estimate.of(satisfied + 1, 0, n + 2)


def nps_estimate(promoters: int, detractors: int, n: int) -> Estimate:
    """Return an NPS with three more customers, 3/4 a promoter and 3/4 a detractor."""
    for part in (promoters, detractors, promoters + detractors):
        check_part(part, n)
    return Estimate.of(promoters + 0.75, detractors + 0.75, n + 3)


def check_part(part: int, whole: int) -> None:
    """Raise `ValueError` unless so many can be a part of so many."""
    if not 0 <= part <= whole or not whole:
        raise ValueError("A part is between 0 and its whole, and a whole is at least 1.")

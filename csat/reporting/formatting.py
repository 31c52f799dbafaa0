"""How figures are written: rounded half away from zero, so that a gain and a loss of 0.5 look alike."""

from decimal import ROUND_HALF_UP, Decimal

from csat.reporting.intervals import Interval
from csat.reporting.scores import Change, SampleSize, Score, sample_size
from csat.surveys.questions import Metric

NOTHING = "-"
"""Where there is no figure; 0 would be one."""
NO_CLEAR_CHANGE = "no clear change"


def headline(score: Score | None) -> str:
    """Return a score as it may be shown, like "87 %" or "+38"; "-" of none, and of too few ratings."""
    if not score or sample_size(score.n) is SampleSize.TOO_FEW:
        return NOTHING
    return figure(score.metric, score.value)


def figure(metric: Metric, value: float | None) -> str:
    """Return a metric's value as "87 %" of CSAT and "+38" of NPS."""
    return percent(value) if metric is Metric.CSAT else points(value)


def percent(value: float | None) -> str:
    """Return a share of 100 like "87 %"."""
    return NOTHING if value is None else f"{whole(value)} %"


def points(value: float | None) -> str:
    """Return an NPS or a difference like "+38", "-6" or "0"."""
    if value is None:
        return NOTHING
    return f"{number:+}" if (number := whole(value)) else "0"


def average(mean: float | None) -> str:
    """Return a mean rating like "4.3"."""
    return NOTHING if mean is None else str(_rounded(mean, "0.1"))


def span(metric: Metric, interval: Interval) -> str:
    """Return an interval like "62 to 96" of CSAT and "-19 to +65" of NPS."""
    low, high = (str(whole(end)) if metric is Metric.CSAT else points(end) for end in interval)
    return f"{low} to {high}"


def in_words(change: Change | None) -> str:
    """Return what may be claimed of a change, like "up 12 points"; "-" where there is nothing to compare."""
    if change is None:
        return NOTHING
    if not change.clear:
        return NO_CLEAR_CHANGE
    number = abs(whole(change.difference))
    size = f"{number} point{'s' * (number != 1)}" if number else "less than 1 point"
    return f"{'up' if change.difference > 0 else 'down'} {size}"


def whole(value: float) -> int:
    """Return the nearest whole number, of two the one away from zero."""
    return int(_rounded(value, "1"))


def _rounded(value: float, step: str) -> Decimal:
    # from the shortest digits: 4.35, which the nearest float misses by a hair, is half way to a person
    return Decimal(repr(value)).quantize(Decimal(step), ROUND_HALF_UP)

"""How figures are written: rounded half away from zero, so that +0.5 and -0.5 look alike."""

from decimal import ROUND_HALF_UP, Decimal

from csat.reporting.confidence_intervals import Interval
from csat.reporting.scores import Change, SampleSize, Score, classify_sample, percentage
from csat.surveys.questions import Metric

NO_VALUE = "-"
"""Shown if there is no figure; 0 would be one."""
NO_CLEAR_CHANGE = "no clear change"
LESS_THAN_1 = "less than 1"
"""Points of a change; 0 would be none."""


def format_score(score: Score | None) -> str:
    """Return a score like "87%" or "+38"; "-" without a score, or if it has too few ratings."""
    if not score or classify_sample(score.n) is SampleSize.TOO_FEW:
        return NO_VALUE
    return format_value(score.metric, score.value)


def format_value(metric: Metric, value: float | None) -> str:
    """Return a metric's value like "87%" (CSAT) or "+38" (NPS)."""
    return format_percent(value) if metric is Metric.CSAT else format_points(value)


def format_percent(value: float | None) -> str:
    """Return a percentage like "87%"."""
    return NO_VALUE if value is None else f"{round_half_up(value)}%"


def format_share(part: int, whole: int) -> str:
    """Return the share of a part in its whole like "87%"; "-" if both are 0."""
    return format_percent(percentage(part, whole))


def format_points(value: float | None) -> str:
    """Return an NPS or a difference like "+38", "-6" or "0"."""
    if value is None:
        return NO_VALUE
    return f"{number:+}" if (number := round_half_up(value)) else "0"


def format_mean(mean: float | None) -> str:
    """Return a mean rating like "4.3"."""
    return NO_VALUE if mean is None else str(_round(mean, "0.1"))


def format_interval(metric: Metric, interval: Interval) -> str:
    """Return an interval like "62 to 96" (CSAT) or "-19 to +65" (NPS)."""
    low, high = (str(round_half_up(end)) if metric is Metric.CSAT else format_points(end) for end in interval)
    return f"{low} to {high}"


def format_change(change: Change | None) -> str:
    """Return a change like "up 12 points (95% interval 3 to 21)"; "-" without one."""
    if change is None:
        return NO_VALUE
    if not change.is_significant:
        return NO_CLEAR_CHANGE
    size, low, high = (_format_size(points) for points in _magnitudes(change))
    noun = "point" if size in ("1", LESS_THAN_1) else "points"
    return f"{'up' if change.difference > 0 else 'down'} {size} {noun} (95% interval {low} to {high})"


def format_tests(number: int) -> str:
    """Return the remark about an export: how many of its surveys no report counts."""
    tests = "a test" if number == 1 else "tests"
    return f"{number:,} of them {tests}, which reports leave out" if number else ""


def format_unknown_names(number: int, why: str) -> str:
    """Return the end of the text about an export: how many names Slack did not tell, and why."""
    return f" {pluralize(number, 'name')} {'is' if number == 1 else 'are'} missing: {why}" if number else ""


def pluralize(number: int, noun: str) -> str:
    """Return a number with its noun, like "1 answer" and "2 answers"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def round_half_up(value: float) -> int:
    """Return the nearest whole number; halves are rounded away from zero."""
    return int(_round(value, "1"))


def _magnitudes(change: Change) -> tuple[float, float, float]:
    """Return the size of a significant change, and its interval from low to high, without the sign."""
    low, high = sorted(abs(end) for end in change.interval)
    return abs(change.difference), low, high


def _format_size(points: float) -> str:
    return str(round_half_up(points) or LESS_THAN_1)


def _round(value: float, step: str) -> Decimal:
    # repr() has the shortest digits: 4.35 is half way for a reader, but its float is a little less
    return Decimal(repr(value)).quantize(Decimal(step), ROUND_HALF_UP)

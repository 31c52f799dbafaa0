"""A report's figures in lines of text, for the App Home, `/csat report` and the digest."""

from collections.abc import Iterator
from typing import Final

from slack_sdk.models.blocks import RichTextBlock, RichTextElement

from blocks.elements import rich_line, text
from csat.reporting.formatting import (
    format_change,
    format_interval,
    format_mean,
    format_score,
    format_share,
    pluralize,
)
from csat.reporting.report_model import Report, Tally
from csat.reporting.scores import (
    MIN_SCORE_RATINGS,
    SampleSize,
    Score,
    calculate_score,
    classify_sample,
    compare_scores,
    distribution,
)
from csat.surveys.questions import SCALES, Metric

METRIC_NAMES: Final = {Metric.CSAT: "CSAT score", Metric.NPS: "NPS"}
INTERVAL_CAVEAT: Final = "The interval covers sampling error only, not who chose to respond."
LATE_ANSWERS: Final = "Open surveys can still change these figures."


def summary_lines(report: Report) -> list[RichTextBlock]:
    """Return score, change, response rate and follow-ups, each on its line."""
    return [
        rich_line(*_score_line(report)),
        rich_line(text(_format_change(report))),
        rich_line(text(_format_responses(report.current))),
        rich_line(text(_format_follow_ups(report))),
    ]


def summary_text(report: Report) -> str:
    """Return score, change and response rate as plain text."""
    responses = f"{_format_responses(report.current)}."
    return " ".join(["".join(_score_parts(report)), _format_change(report), responses])


def caveats(report: Report) -> list[str]:
    """Return what to keep in mind when reading the figures; some may be empty."""
    own = f"{report.excluded:,} of your own surveys {'is' if report.excluded == 1 else 'are'}"
    return [
        INTERVAL_CAVEAT if has_score(report) else "",
        LATE_ANSWERS if report.current.open else "",
        f"{own} left out." if report.excluded else "",
    ]


def has_score(report: Report) -> bool:
    """Return True if there are enough ratings for a score."""
    return classify_sample(report.current.rated) is not SampleSize.TOO_FEW


def distribution_text(report: Report) -> str:
    """Return how often each rating was given, best first; empty if there are too few ratings."""
    metric, rated = report.filters.metric, report.current.rated
    if classify_sample(rated) is SampleSize.TOO_FEW:
        return ""
    counts = [
        f"{format_rating(metric, rating)}: {count:,} ({format_share(count, rated)})"
        for rating, count in reversed(list(distribution(metric, report.current.ratings).items()))
    ]
    return f"How customers rated: {' · '.join(counts)}."


def compute_score(report: Report, tally: Tally) -> Score | None:
    """Return the score of a part of a report's surveys."""
    return calculate_score(report.filters.metric, tally.ratings)


def format_rating(metric: Metric, rating: int) -> str:
    """Return a rating like "4 of 5"."""
    return f"{rating} of {SCALES[metric][-1]}"


def format_average(score: Score) -> str:
    """Return the average rating like "4.3 of 5"."""
    return f"{format_mean(score.mean)} of {SCALES[score.metric][-1]}"


def _score_line(report: Report) -> Iterator[RichTextElement]:
    name, figure, precision = _score_parts(report)
    yield text(name)
    yield text(figure, bold=True)
    yield text(precision)


def _score_parts(report: Report) -> tuple[str, str, str]:
    metric, current = report.filters.metric, compute_score(report, report.current)
    name, answers = f"{METRIC_NAMES[metric]}: ", pluralize(report.current.rated, "answer")
    if current is None:
        return name, "no answers yet", "."
    if not has_score(report):
        reason = f"Scores start at {MIN_SCORE_RATINGS}, so that single ratings stay private."
        return name, "none", f", with {answers}. {reason}"
    return name, format_score(current), _format_precision(metric, answers, current)


def _format_precision(metric: Metric, answers: str, score: Score) -> str:
    size = classify_sample(score.n)
    few = f" ({size})" if size else ""
    mean = f" Average rating {format_average(score)}." if metric is Metric.CSAT else ""
    return f" (95% interval {format_interval(metric, score.interval)}) from {answers}{few}.{mean}"


def _format_change(report: Report) -> str:
    previous = compute_score(report, report.previous)
    difference = compare_scores(compute_score(report, report.current), previous)
    days = pluralize(report.period.days, "day")
    if previous is None:
        return f"Previous {days}: no answers."
    answers = pluralize(previous.n, "answer")
    if classify_sample(previous.n) is SampleSize.TOO_FEW:
        return f"Previous {days}: {answers}, too few for a score."
    change = f"; {format_change(difference)}" if difference else ""
    return f"Previous {days}: {format_score(previous)} from {answers}{change}."


def _format_responses(tally: Tally) -> str:
    answered = _format_part(tally.rated, "answer", tally.sent)
    commented = _format_part(tally.commented, "comment", tally.rated)
    unanswered = f"{tally.open:,} still open · {tally.expired:,} expired"
    return f"{tally.sent:,} sent · {answered} · {commented} · {unanswered}"


def _format_part(part: int, noun: str, whole: int) -> str:
    share = f" ({format_share(part, whole)})" if whole else ""
    return f"{pluralize(part, noun)}{share}"


def _format_follow_ups(report: Report) -> str:
    follow_up = report.follow_up
    if not follow_up.low:
        return "No low ratings"
    counts = {
        "closed": follow_up.closed,
        "assigned": follow_up.taken - follow_up.closed,
        "unassigned": follow_up.low - follow_up.taken,
    }
    states = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    return f"{pluralize(follow_up.low, 'low rating')}: {states}"

"""A report's figures in lines of text, for the App Home, `/csat report` and the digest."""

from collections.abc import Iterator
from typing import Final

from slack_sdk.models.blocks import RichTextBlock, RichTextElement

from blocks.elements import rich_line, text
from csat.reporting.formatting import average, headline, in_words, percent, span
from csat.reporting.reports import Report, Tally
from csat.reporting.scores import FEW_MIN, SampleSize, Score, change, distribution, rate, sample_size, score
from csat.surveys.questions import SCALES, Metric

METRIC_NAMES: Final = {Metric.CSAT: "CSAT score", Metric.NPS: "NPS"}
INTERVAL_CAVEAT: Final = "The interval is about chance alone: who chose to answer is not in it."


def summary_lines(report: Report) -> list[RichTextBlock]:
    """Return score, change, response rate and follow-ups, each on its line."""
    return [
        rich_line(*_score_line(report)),
        rich_line(text(_format_change(report))),
        rich_line(text(_format_responses(report.now))),
        rich_line(text(_format_follow_ups(report))),
    ]


def summary_text(report: Report) -> str:
    """Return score, change and response rate as plain text."""
    return " ".join(["".join(_score_parts(report)), _format_change(report), _format_responses(report.now)])


def caveats(report: Report) -> list[str]:
    """Return what to keep in mind when reading the figures; some may be empty."""
    still_open = pluralize(report.now.open, "survey")
    own = f"{pluralize(report.left_out, 'survey')} of your own {'is' if report.left_out == 1 else 'are'}"
    return [
        INTERVAL_CAVEAT,
        f"{still_open} of this period can still be answered." if report.now.open else "",
        f"{own} left out." if report.left_out else "",
    ]


def distribution_text(report: Report) -> str:
    """Return how often each rating was given, best first; empty if there are too few ratings."""
    metric, rated = report.filters.metric, report.now.rated
    if sample_size(rated) is SampleSize.TOO_FEW:
        return ""
    counts = [
        f"{format_rating(metric, rating)}: {count:,} ({percent(rate(count, rated))})"
        for rating, count in reversed(list(distribution(metric, report.now.ratings).items()))
    ]
    return f"How customers rated: {' · '.join(counts)}"


def compute_score(report: Report, tally: Tally) -> Score | None:
    """Return the score of a part of a report's surveys."""
    return score(report.filters.metric, tally.ratings)


def pluralize(number: int, noun: str) -> str:
    """Return a number with its noun, like "1 answer" and "2 answers"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def format_rating(metric: Metric, rating: int) -> str:
    """Return a rating like "4 of 5"."""
    return f"{rating} of {SCALES[metric][-1]}"


def format_average(score: Score) -> str:
    """Return the average rating like "4.3 of 5"."""
    return f"{average(score.mean)} of {SCALES[score.metric][-1]}"


def _score_line(report: Report) -> Iterator[RichTextElement]:
    name, figure, precision = _score_parts(report)
    yield text(name)
    yield text(figure, bold=True)
    yield text(precision)


def _score_parts(report: Report) -> tuple[str, str, str]:
    metric, current = report.filters.metric, compute_score(report, report.now)
    return f"{METRIC_NAMES[metric]}: ", headline(current), _format_precision(metric, report.now, current)


def _format_precision(metric: Metric, tally: Tally, score: Score | None) -> str:
    answers = pluralize(tally.rated, "answer")
    size = sample_size(tally.rated)
    if score is None or size is SampleSize.TOO_FEW:
        return f" from {answers}; with fewer than {FEW_MIN} there is no score."
    few = f", {size}" if size else ""
    mean = f" Average rating {format_average(score)}." if metric is Metric.CSAT else ""
    return f" (95 % interval {span(metric, score.interval)}) from {answers}{few}.{mean}"


def _format_change(report: Report) -> str:
    previous = compute_score(report, report.before)
    difference = change(compute_score(report, report.now), previous)
    days = pluralize(report.period.days, "day")
    figures = f"Previous {days}: {headline(previous)} from {pluralize(report.before.rated, 'answer')}"
    return f"{figures}; {in_words(difference)}." if difference else f"{figures}."


def _format_responses(tally: Tally) -> str:
    answered = f"{pluralize(tally.rated, 'answer')} ({percent(rate(tally.rated, tally.sent))})"
    commented = f"{pluralize(tally.commented, 'comment')} ({percent(rate(tally.commented, tally.rated))})"
    unanswered = f"{tally.open:,} still open · {tally.expired:,} expired"
    return f"{tally.sent:,} sent · {answered} · {commented} · {unanswered}"


def _format_follow_ups(report: Report) -> str:
    follow_up = report.follow_up
    low = pluralize(follow_up.low, "low rating")
    return f"{low} · {follow_up.taken:,} taken on · {follow_up.closed:,} closed"

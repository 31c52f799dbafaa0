"""A report's figures in lines, for the Home and for `/csat report`; what they say is decided in `surveys`."""

from collections.abc import Iterator
from typing import Final

from slack_sdk.models.blocks import RichTextBlock, RichTextElement

from blocks.elements import rich_line, text
from csat.reporting.formatting import average, headline, in_words, percent, span
from csat.reporting.reports import Report, Tally
from csat.reporting.scores import FEW_MIN, SampleSize, Score, change, distribution, rate, sample_size, score
from csat.surveys.questions import SCALES, Metric

METRIC_NAMES: Final = {Metric.CSAT: "CSAT score", Metric.NPS: "NPS"}
INTERVAL: Final = "The interval is about chance alone: who chose to answer is not in it."


def summary_lines(report: Report) -> list[RichTextBlock]:
    """Return score, change, rates and follow-ups, each as a line."""
    return [
        rich_line(*_score(report)),
        rich_line(text(_change(report))),
        rich_line(text(_reach(report.now))),
        rich_line(text(_followed_up(report))),
    ]


def caveats(report: Report) -> list[str]:
    """Return what the figures do not tell by themselves."""
    own = pluralize(report.left_out, "survey")
    return [
        INTERVAL,
        f"{pluralize(report.now.open, 'survey')} of this period can still be answered."
        if report.now.open
        else "",
        f"{own} of your own {'is' if report.left_out == 1 else 'are'} left out." if report.left_out else "",
    ]


def summary_text(report: Report) -> str:
    """Return score, change and rates as one text."""
    return " ".join(["".join(_said(report)), _change(report), _reach(report.now)])


def distribution_text(report: Report) -> str:
    """Return how often each rating was given, the best first; nothing of too few ratings."""
    metric, rated = report.filters.metric, report.now.rated
    if sample_size(rated) is SampleSize.TOO_FEW:
        return ""
    each = [
        f"{format_rating(metric, rating)}: {number:,} ({percent(rate(number, rated))})"
        for rating, number in reversed(list(distribution(metric, report.now.ratings).items()))
    ]
    return f"How customers rated: {' · '.join(each)}"


def compute_score(report: Report, tally: Tally) -> Score | None:
    """Return the score of some of a report's surveys."""
    return score(report.filters.metric, tally.ratings)


def pluralize(number: int, what: str) -> str:
    """Return a number of things, like "1 answer" and "2 answers"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def format_rating(metric: Metric, rating: int) -> str:
    """Return a rating as it is read, like "4 of 5"."""
    return f"{rating} of {SCALES[metric][-1]}"


def _score(report: Report) -> Iterator[RichTextElement]:
    name, figure, more = _said(report)
    yield text(name)
    yield text(figure, bold=True)
    yield text(more)


def _said(report: Report) -> tuple[str, str, str]:
    metric, now = report.filters.metric, compute_score(report, report.now)
    return f"{METRIC_NAMES[metric]}: ", headline(now), _sureness(metric, report.now, now)


def _sureness(metric: Metric, tally: Tally, now: Score | None) -> str:
    answers = pluralize(tally.rated, "answer")
    standing = sample_size(tally.rated)
    if now is None or standing is SampleSize.TOO_FEW:
        return f" from {answers}; with fewer than {FEW_MIN} there is no score."
    few = f", {standing}" if standing else ""
    mean = f" Average rating {format_average(now)}." if metric is Metric.CSAT else ""
    return f" (95 % interval {span(metric, now.interval)}) from {answers}{few}.{mean}"


def format_average(of: Score) -> str:
    """Return the average rating, like "4.3 of 5"."""
    return f"{average(of.mean)} of {SCALES[of.metric][-1]}"


def _change(report: Report) -> str:
    before = compute_score(report, report.before)
    apart = change(compute_score(report, report.now), before)
    days = pluralize(report.period.days, "day")
    told = f"Previous {days}: {headline(before)} from {pluralize(report.before.rated, 'answer')}"
    return f"{told}; {in_words(apart)}." if apart else f"{told}."


def _reach(tally: Tally) -> str:
    answered = f"{pluralize(tally.rated, 'answer')} ({percent(rate(tally.rated, tally.sent))})"
    commented = f"{pluralize(tally.commented, 'comment')} ({percent(rate(tally.commented, tally.rated))})"
    after = f"{tally.open:,} still open · {tally.expired:,} expired"
    return f"{tally.sent:,} sent · {answered} · {commented} · {after}"


def _followed_up(report: Report) -> str:
    follow_up = report.follow_up
    low = pluralize(follow_up.low, "low rating")
    return f"{low} · {follow_up.taken:,} taken on · {follow_up.closed:,} closed"

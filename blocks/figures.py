"""A report's figures in lines, for the Home and for `/csat report`; what they say is decided in `surveys`."""

from collections.abc import Iterator
from typing import Final

from slack_sdk.models.blocks import RichTextBlock, RichTextElement

from blocks.kit import line, text
from csat.reporting.formatting import average, headline, in_words, percent, span
from csat.reporting.reports import Report, Tally
from csat.reporting.scores import FEW_MIN, SampleSize, Score, change, distribution, rate, sample_size, score
from csat.surveys.questions import SCALES, Metric

NAMES: Final = {Metric.CSAT: "CSAT score", Metric.NPS: "NPS"}
INTERVAL: Final = "The interval is about chance alone: who chose to answer is not in it."


def figures(report: Report) -> list[RichTextBlock]:
    """Return score, change, rates and follow-ups, each as a line."""
    return [
        line(*_score(report)),
        line(text(_change(report))),
        line(text(_reach(report.now))),
        line(text(_followed_up(report))),
    ]


def caveats(report: Report) -> list[str]:
    """Return what the figures do not tell by themselves."""
    own = counted(report.left_out, "survey")
    return [
        INTERVAL,
        f"{counted(report.now.open, 'survey')} of this period can still be answered."
        if report.now.open
        else "",
        f"{own} of your own {'is' if report.left_out == 1 else 'are'} left out." if report.left_out else "",
    ]


def in_short(report: Report) -> str:
    """Return score, change and rates as one text."""
    return " ".join(["".join(_said(report)), _change(report), _reach(report.now)])


def distribution_in_words(report: Report) -> str:
    """Return how often each rating was given, the best first; nothing of too few ratings."""
    metric, rated = report.filters.metric, report.now.rated
    if sample_size(rated) is SampleSize.TOO_FEW:
        return ""
    each = [
        f"{rating_words(metric, rating)}: {number:,} ({percent(rate(number, rated))})"
        for rating, number in reversed(list(distribution(metric, report.now.ratings).items()))
    ]
    return f"How customers rated: {' · '.join(each)}"


def score_of(report: Report, tally: Tally) -> Score | None:
    """Return the score of some of a report's surveys."""
    return score(report.filters.metric, tally.ratings)


def counted(number: int, what: str) -> str:
    """Return a number of things, like "1 answer" and "2 answers"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def rating_words(metric: Metric, rating: int) -> str:
    """Return a rating as it is read, like "4 of 5"."""
    return f"{rating} of {SCALES[metric][-1]}"


def _score(report: Report) -> Iterator[RichTextElement]:
    name, figure, more = _said(report)
    yield text(name)
    yield text(figure, bold=True)
    yield text(more)


def _said(report: Report) -> tuple[str, str, str]:
    metric, now = report.filters.metric, score_of(report, report.now)
    return f"{NAMES[metric]}: ", headline(now), _sureness(metric, report.now, now)


def _sureness(metric: Metric, tally: Tally, now: Score | None) -> str:
    answers = counted(tally.rated, "answer")
    standing = sample_size(tally.rated)
    if now is None or standing is SampleSize.TOO_FEW:
        return f" from {answers}; with fewer than {FEW_MIN} there is no score."
    few = f", {standing}" if standing else ""
    mean = f" Average rating {rating_mean(now)}." if metric is Metric.CSAT else ""
    return f" (95 % interval {span(metric, now.interval)}) from {answers}{few}.{mean}"


def rating_mean(of: Score) -> str:
    """Return the average rating, like "4.3 of 5"."""
    return f"{average(of.mean)} of {SCALES[of.metric][-1]}"


def _change(report: Report) -> str:
    before = score_of(report, report.before)
    apart = change(score_of(report, report.now), before)
    days = counted(report.period.days, "day")
    told = f"Previous {days}: {headline(before)} from {counted(report.before.rated, 'answer')}"
    return f"{told}; {in_words(apart)}." if apart else f"{told}."


def _reach(tally: Tally) -> str:
    answered = f"{counted(tally.rated, 'answer')} ({percent(rate(tally.rated, tally.sent))})"
    commented = f"{counted(tally.commented, 'comment')} ({percent(rate(tally.commented, tally.rated))})"
    after = f"{tally.open:,} still open · {tally.expired:,} expired"
    return f"{tally.sent:,} sent · {answered} · {commented} · {after}"


def _followed_up(report: Report) -> str:
    follow_up = report.follow_up
    return (
        f"{counted(follow_up.low, 'low rating')} · {follow_up.taken:,} taken on · {follow_up.closed:,} closed"
    )

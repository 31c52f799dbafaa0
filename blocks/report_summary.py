"""A report's figures in lines of text, for the App Home, `/csat report` and the digest."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from slack_sdk.models.blocks import RichTextBlock, RichTextElement

from blocks.customer_status import DISOWNED
from blocks.elements import rich_line, text
from csat.english_dates import format_day
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
from csat.surveys.poll_schedule import LAST_POLL_AGE
from csat.surveys.questions import SCALES, Metric
from csat.surveys.transports import FACTS, TransportName

METRIC_NAMES: Final = {Metric.CSAT: "CSAT score", Metric.NPS: "NPS"}
WEIGHTS: Final = {
    Metric.CSAT: "each would be a quarter of the score",
    Metric.NPS: "each promoter or detractor would be 25 points",
}
"""Of an answer where there are too few for a score."""
INTERVAL_CAVEAT: Final = "The interval covers sampling error only, not who chose to respond."
LATE_ANSWERS: Final = "Open surveys can still change these figures."
NOT_POOLED: Final = "not compared, as surveys were sent in several ways"


class LeftOut(NamedTuple):
    """The surveys that a reader's totals leave out, as the text beside these says."""

    whose: str
    """Like "your own surveys"."""
    number: int | None
    """`None` if it is unknown."""

    @property
    def remark(self) -> str:
        """The remark beside other figures: how many of them were left out could tell an answer."""
        return "" if self.number == 0 else f" ({self.whose} left out)"

    @property
    def remark_with_number(self) -> str:
        """The remark beside a number of surveys."""
        return f" ({self.number:,} of {self.whose} left out)" if self.number else self.remark


def own_left_out(number: int) -> LeftOut:
    """Return that a number of the reader's own surveys were left out."""
    return LeftOut("your own surveys", number)


def summary_lines(
    report: Report, left_out: LeftOut, *, omit_unknown_response_rate: bool = False
) -> list[RichTextBlock]:
    """Return score, change, counts, transports, response rate and follow-ups, each on its line."""
    response_rate = _format_response_rate(report.current, omit_unknown=omit_unknown_response_rate)
    counts, low = _format_counts(report.current, left_out), _format_follow_ups(report, left_out)
    lines = filter(
        None, [_format_change(report, left_out), counts, _format_transports(report), response_rate, low]
    )
    return [rich_line(*_score_line(report, left_out)), *(rich_line(text(line)) for line in lines)]


def summary_text(report: Report, left_out: LeftOut, *, omit_unknown_response_rate: bool = False) -> str:
    """Return score, change, counts, transports and response rate as plain text."""
    response_rate = _format_response_rate(report.current, omit_unknown=omit_unknown_response_rate)
    counts = [_format_counts(report.current, left_out), _format_transports(report), response_rate]
    sentences = [f"{sentence}." for sentence in counts if sentence]
    return " ".join(["".join(_score_parts(report, left_out)), _format_change(report, left_out), *sentences])


def report_title(report: Report) -> str:
    """Return the heading of a report with the transport that it is limited to, if any."""
    title = f"{METRIC_NAMES[report.filters.metric]}, {report.period.title}"
    transport = report.filters.transport
    return f"{title}, sent as {FACTS[transport].noun}" if transport else title


def nothing_sent_text(report: Report, how_to_see_other: str) -> str:
    """Return that no survey was sent, and if there are some with the other metric, how to see these."""
    transport, other = report.filters.transport, report.filters.other_metric.upper()
    sent = f"sent as {FACTS[transport].noun}" if transport else "sent"
    when = f"; {_format_begin(report.data_begin)}" if report.is_before_data else " or the one before"
    nothing = f"No {report.filters.metric.upper()} surveys were {sent} in this period{when}."
    if not report.sent_with_other_metric:
        return nothing
    were = "was" if report.sent_with_other_metric == 1 else "were"
    others = f"{pluralize(report.sent_with_other_metric, f'{other} survey')} {were} sent in this period"
    return f"{nothing} {others}: {how_to_see_other}."


def caveats(report: Report) -> list[str]:
    """Return what to keep in mind when reading the figures; some may be empty."""
    return [INTERVAL_CAVEAT if has_score(report) else "", LATE_ANSWERS if report.current.open else ""]


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


def _score_line(report: Report, left_out: LeftOut) -> Iterator[RichTextElement]:
    name, figure, precision = _score_parts(report, left_out)
    yield text(name)
    yield text(figure, bold=True)
    yield text(precision)


def _score_parts(report: Report, left_out: LeftOut) -> tuple[str, str, str]:
    metric, current = report.filters.metric, compute_score(report, report.current)
    name, answers = f"{METRIC_NAMES[metric]}: ", pluralize(report.current.rated, "answer")
    if current is None:
        return name, "no answers yet" if report.current.open else "no answers", f"{left_out.remark}."
    if not has_score(report):
        start = f"Scores start at {MIN_SCORE_RATINGS} answers"
        reason = f"{start}: with fewer, {WEIGHTS[metric]} or more."
        return name, "none", f", with {answers}. {reason}"
    return name, format_score(current), _format_precision(metric, answers, current)


def _format_precision(metric: Metric, answers: str, score: Score) -> str:
    size = classify_sample(score.n)
    few = f" ({size})" if size else ""
    mean = f" Average rating {format_average(score)}." if metric is Metric.CSAT else ""
    return f" (95% interval {format_interval(metric, score.interval)}) from {answers}{few}.{mean}"


def _format_change(report: Report, left_out: LeftOut) -> str:
    previous = compute_score(report, report.previous)
    difference = compare_scores(compute_score(report, report.current), previous)
    days = pluralize(report.period.days, "day")
    if not report.previous_is_whole:
        return f"Previous {days}: {_format_no_comparison(report.data_begin)}."
    if report.mix_differs:
        return f"Previous {days}: {_format_other_mix(report)}."
    if previous is None:
        return f"Previous {days}: no answers{left_out.remark}."
    answers = pluralize(previous.n, "answer")
    if classify_sample(previous.n) is SampleSize.TOO_FEW:
        return f"Previous {days}: {answers}, too few for a score."
    if report.is_mixed:
        return f"Previous {days}: {format_score(previous)} from {answers}; {NOT_POOLED}."
    change = f"; {format_change(difference)}" if difference else ""
    return f"Previous {days}: {format_score(previous)} from {answers}{change}."


def _format_no_comparison(data_begin: date | None) -> str:
    return f"not compared, as {_format_begin(data_begin)}" if data_begin else "no surveys"


def _format_begin(data_begin: date | None) -> str:
    return f"this data begins on {format_day(data_begin)}" if data_begin else ""


def _format_other_mix(report: Report) -> str:
    current, previous = report.current.sent_as.keys(), report.previous.sent_as.keys()
    if more := previous - current:
        return f"not compared, as some were sent as {_list_nouns(more)}"
    return f"not compared, as none were sent as {_list_nouns(current - previous)}"


def _format_transports(report: Report) -> str:
    if not (report.is_mixed and report.current.sent):
        return ""
    counts = [f"{FACTS[name].noun}: {count:,}" for name, count in report.current.sent_as.items()]
    return f"Sent as {' · as '.join(counts)}"


def _list_nouns(transports: Iterable[TransportName]) -> str:
    return " or ".join(FACTS[name].noun for name in sorted(transports))


def _format_counts(tally: Tally, left_out: LeftOut) -> str:
    share = f" ({format_share(tally.commented, tally.rated)} of answers)" if tally.rated else ""
    answers = f"{pluralize(tally.rated, 'answer')} · {pluralize(tally.commented, 'comment')}{share}"
    unanswered = f"{tally.open:,} still open · {tally.expired:,} expired"
    disowned = f" · {tally.disowned:,} {DISOWNED}" if tally.disowned else ""
    return f"{tally.sent:,} sent{left_out.remark_with_number} · {answers} · {unanswered}{disowned}"


def _format_response_rate(tally: Tally, *, omit_unknown: bool) -> str:
    if omit_unknown and not tally.finished:
        return ""
    still_open = f"; {tally.open:,} still open" if tally.open else ""
    if not tally.sent:
        return "Response rate: no surveys"
    if not tally.finished:
        return f"Response rate: not known until {LAST_POLL_AGE.days} days have passed{still_open}"
    share = format_share(tally.finished_rated, tally.finished)
    of = f"{tally.finished_rated:,} of the {pluralize(tally.finished, 'survey')}"
    return f"Response rate: {share} ({of} whose {LAST_POLL_AGE.days} days have passed){still_open}"


def _format_follow_ups(report: Report, left_out: LeftOut) -> str:
    follow_up = report.follow_up
    if not follow_up.low:
        return f"No low ratings{left_out.remark}"
    counts = {
        "closed": follow_up.closed,
        "assigned": follow_up.taken - follow_up.closed,
        "unassigned": follow_up.low - follow_up.taken,
    }
    states = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    return f"{pluralize(follow_up.low, 'low rating')}{left_out.remark}: {states}"

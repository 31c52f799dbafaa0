"""A report's charts and its table, each with the same data in text."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from slack_sdk.models.blocks import RichTextElement

from blocks.block_json import BlockDict, render
from blocks.elements import bullet_list, channel_mention, context, rich_line, text, user_mention
from blocks.report_summary import METRIC_NAMES, LeftOut, compute_score, distribution_text
from blocks.tables_and_charts import (
    NO_NUMBER,
    BlocksWithFallback,
    Cell,
    HomePart,
    data_table,
    data_visualization,
    number_cell,
    rich_text_cell,
    text_cell,
)
from csat.reporting.formatting import (
    NO_VALUE,
    format_interval,
    format_percent,
    format_score,
    pluralize,
    round_half_up,
)
from csat.reporting.periods import DAYS_PER_WEEK
from csat.reporting.report_model import Report, Tally
from csat.reporting.scores import (
    MIN_SCORE_RATINGS,
    SampleSize,
    Score,
    classify_sample,
    distribution,
    percentage,
)
from csat.surveys.poll_schedule import LAST_POLL_AGE

MAX_ROWS: Final = 50
"""For agents, and as many for channels."""
TOP_ROWS: Final = 5
"""Agents, and as many channels, that are in text beside the table; the ones with the most answers."""
HEADER: Final = ("Agent or channel", "Score", "95% interval", "Answers", "Sent", "Response rate")
RESPONSE_RATES: Final = f"Response rates count only surveys whose {LAST_POLL_AGE.days} days have passed."
MIN_CHART_POINTS: Final = 3
"""Of a trend: a line between two points would show any difference as a slope."""
CHART_NEEDS: Final = "A chart needs {points} {bucket}s in a row with {answers} answers or more."
CHART_SHOWS: Final = "The chart shows {first} to {last}, the longest part without a gap."
CAPTION: Final = "By agent and by channel"


def report_charts(report: Report, left_out: LeftOut) -> Iterator[HomePart]:
    """Yield the distribution, the trend, and the breakdown by agent and channel."""
    yield from _distribution(report)
    yield from _trend(report)
    yield from _breakdown(report, left_out)


def _distribution(report: Report) -> Iterator[HomePart]:
    if classify_sample(report.current.rated) is SampleSize.TOO_FEW:
        return
    counts = distribution(report.filters.metric, report.current.ratings)
    bars = {str(rating): float(count) for rating, count in counts.items()}
    chart = data_visualization("bar", "How customers rated", "Answers", bars, "Rating")
    yield BlocksWithFallback([chart])
    yield render(context(distribution_text(report)))


def _trend(report: Report) -> Iterator[HomePart]:
    scores = {bucket.label: compute_score(report, bucket.tally) for bucket in report.trend}
    points = {label: score for label, score in scores.items() if score and format_score(score) != NO_VALUE}
    if not points:
        return
    figures = render(context(_trend_text(report, points)))
    run = _longest_run(points, list(scores))
    if len(run) < MIN_CHART_POINTS:
        needs = _chart_needs(report) if len(scores) >= MIN_CHART_POINTS else ""
        yield BlocksWithFallback([render(context(_trend_text(report, points), needs))], [figures])
        return
    shown = "" if run == points else CHART_SHOWS.format(first=next(iter(run)), last=next(reversed(run)))
    captioned = render(context(_trend_text(report, points), shown))
    yield BlocksWithFallback([_trend_chart(report, run), captioned], [figures])


def _longest_run(points: Mapping[str, Score], labels: Sequence[str]) -> dict[str, Score]:
    """Return the most points with no other label between them, the newest of equally many.

    A line across a label without a point would look as if there were one.
    """
    runs = [list(run) for is_point, run in groupby(labels, key=points.__contains__) if is_point]
    return {label: points[label] for label in max(reversed(runs), key=len)}


def _trend_chart(report: Report, points: Mapping[str, Score]) -> BlockDict:
    name = METRIC_NAMES[report.filters.metric]
    values = {
        f"{label}{_few_mark(score)}": float(round_half_up(score.value)) for label, score in points.items()
    }
    return data_visualization("line", f"{name} by {_bucket_name(report)}", name, values, "Sent")


def _chart_needs(report: Report) -> str:
    bucket = _bucket_name(report)
    return CHART_NEEDS.format(points=MIN_CHART_POINTS, bucket=bucket, answers=MIN_SCORE_RATINGS)


def _few_mark(score: Score) -> str:
    return " (few)" if classify_sample(score.n) is SampleSize.FEW else ""


def _trend_text(report: Report, points: Mapping[str, Score]) -> str:
    name, bucket = METRIC_NAMES[report.filters.metric], _bucket_name(report)
    parts = [
        f"{label}: {format_score(score)} ({_format_answers(score.n)})" for label, score in points.items()
    ]
    sentences = [f"{name} by {bucket}: {' · '.join(parts)}."]
    if few := [part.label for part in report.trend if part.label not in points]:
        start = f"Left out of the trend, with fewer than {MIN_SCORE_RATINGS} answers"
        sentences.append(f"{start}: {' · '.join(few)}.")
    return " ".join(sentences)


def _format_answers(count: int) -> str:
    """Return a number of answers, and whether they are few."""
    size = classify_sample(count)
    return f"{count:,}, {size}" if size else f"{count:,}"


def _bucket_name(report: Report) -> str:
    days = min((bucket.period.days for bucket in report.trend), default=1)
    return {1: "day", DAYS_PER_WEEK: "week"}.get(days, f"{days}-day part")


def _breakdown(report: Report, left_out: LeftOut) -> Iterator[HomePart]:
    agents = [(user_mention(user), tally) for user, tally in report.agent_rows[:MAX_ROWS]]
    channels = [(channel_mention(channel), tally) for channel, tally in report.channel_rows[:MAX_ROWS]]
    if agents or channels:
        cells = [_cells(report, name, tally) for name, tally in (*agents, *channels)]
        table = data_table(CAPTION, HEADER, cells)
        top = _rows_in_text(report, [*agents[:TOP_ROWS], *channels[:TOP_ROWS]])
        everything = _rows_in_text(report, [*agents, *channels])
        yield render(rich_line(text(f"{CAPTION}{left_out.remark}", bold=True)))
        yield BlocksWithFallback([table, top], [everything])
        if report.current.finished < report.current.sent:
            yield render(context(RESPONSE_RATES))
    if hidden := len(report.by_agent) - len(report.agent_rows):
        agents_left_out = f"{pluralize(hidden, 'agent')} with fewer than {MIN_SCORE_RATINGS} answers"
        yield render(context(f"Not shown: {agents_left_out}, too few to judge anybody by."))


def _cells(report: Report, name: RichTextElement, tally: Tally) -> list[Cell]:
    metric, score = report.filters.metric, compute_score(report, tally)
    figure = format_score(score)
    response_rate = percentage(tally.finished_rated, tally.finished)
    has_score = score is not None and figure != NO_VALUE
    return [
        rich_text_cell(name.to_dict()),
        number_cell(score.value if score and has_score else NO_NUMBER, figure),
        text_cell(format_interval(metric, score.interval) if score and has_score else NO_VALUE),
        number_cell(tally.rated, _format_answers(tally.rated)),
        number_cell(tally.sent, f"{tally.sent:,}"),
        number_cell(
            NO_NUMBER if response_rate is None else response_rate,
            format_percent(response_rate),
        ),
    ]


def _rows_in_text(report: Report, rows: Sequence[tuple[RichTextElement, Tally]]) -> BlockDict:
    return render(bullet_list(*([name, text(f": {_row_text(report, tally)}")] for name, tally in rows)))


def _row_text(report: Report, tally: Tally) -> str:
    cells = _cells(report, text(""), tally)[1:]
    return " · ".join(f"{name} {cell['text']}" for name, cell in zip(HEADER[1:], cells, strict=True))

"""A report in charts and a table, each with what is said to those who can't see it, or don't have it yet."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from slack_sdk.models.blocks import (
    Block,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
    RichTextListElement,
    RichTextSectionElement,
)

from blocks import charts
from blocks.charts import BlockWithFallback, Cell, HomePart
from blocks.elements import context, rich_line, text
from blocks.form_fields import BlockDict
from blocks.report_summary import METRIC_NAMES, compute_score, distribution_text, pluralize
from csat.reporting.formatting import NOTHING, headline, percent, span, whole
from csat.reporting.periods import WEEK
from csat.reporting.reports import Report, Tally
from csat.reporting.scores import FEW_MIN, SampleSize, Score, distribution, rate, sample_size

MAX_ROWS: Final = 50
"""Of agents, and of channels."""
HEADER: Final = ("Agent or channel", "Score", "95 % interval", "Answers", "Sent", "Response rate")


def report_charts(report: Report) -> Iterator[HomePart]:
    """Yield a report's distribution, its trend, and its figures by agent and by channel."""
    yield from _distribution(report)
    yield from _trend(report)
    yield from _breakdown(report)


def _distribution(report: Report) -> Iterator[HomePart]:
    metric = report.filters.metric
    if sample_size(report.now.rated) is SampleSize.TOO_FEW:
        return
    counts = distribution(metric, report.now.ratings)
    bars = {str(rating): float(number) for rating, number in counts.items()}
    yield BlockWithFallback(
        charts.data_visualization("bar", "How customers rated", "Answers", bars, "Rating"), ()
    )
    yield _rendered(context(distribution_text(report)))


def _trend(report: Report) -> Iterator[HomePart]:
    scores = {bucket.label: compute_score(report, bucket.tally) for bucket in report.trend}
    points = {label: score for label, score in scores.items() if score and headline(score) != NOTHING}
    if len(points) > 1:
        yield BlockWithFallback(_curve(report, points), ())
    yield _rendered(context(_trend_in_words(report, points)))


def _curve(report: Report, points: Mapping[str, Score]) -> BlockDict:
    name = METRIC_NAMES[report.filters.metric]
    values = {label: float(whole(score.value)) for label, score in points.items()}
    return charts.data_visualization("line", f"{name} by {_part(report)}", name, values, "Sent")


def _trend_in_words(report: Report, points: Mapping[str, Score]) -> str:
    each = [f"{label}: {headline(score)} ({_answers(score.n)})" for label, score in points.items()]
    left_out = len(report.trend) - len(points)
    rest = (
        f"{pluralize(left_out, _part(report))} with fewer than {FEW_MIN} answers left out" if left_out else ""
    )
    name = METRIC_NAMES[report.filters.metric]
    return f"{name} by {_part(report)}: {' · '.join(filter(None, [*each, rest]))}."


def _answers(number: int) -> str:
    """Return how many answers a score is from, and whether they are few."""
    few = sample_size(number)
    return f"{number:,}, {few}" if few else f"{number:,}"


def _part(report: Report) -> str:
    days = max((bucket.period.days for bucket in report.trend), default=1)
    return {1: "day", WEEK: "week"}.get(days, f"{days}-day part")


def _breakdown(report: Report) -> Iterator[HomePart]:
    agents, channels = report.agents[:MAX_ROWS], report.channels[:MAX_ROWS]
    rows = [(_person(name), tally) for name, tally in agents] + [
        (_place(name), tally) for name, tally in channels
    ]
    if rows:
        cells = [_cells(report, name, tally) for name, tally in rows]
        caption = "By agent and by channel"
        yield BlockWithFallback(charts.data_table(caption, HEADER, cells), _list(caption, report, rows))
    if hidden := len(report.by_agent) - len(report.agents):
        yield _rendered(
            context(f"{pluralize(hidden, 'agent')} with fewer than {FEW_MIN} answers: no row of their own.")
        )


def _cells(report: Report, name: RichTextElement, tally: Tally) -> list[Cell]:
    metric, score = report.filters.metric, compute_score(report, tally)
    told = headline(score) if score else NOTHING
    rated = rate(tally.rated, tally.sent)
    return [
        charts.rich_text_cell(name.to_dict()),
        charts.number_cell(score.value, told) if score and told != NOTHING else charts.text_cell(NOTHING),
        charts.text_cell(span(metric, score.interval) if score and told != NOTHING else NOTHING),
        charts.number_cell(tally.rated, _answers(tally.rated)),
        charts.number_cell(tally.sent),
        charts.number_cell(rated, percent(rated)) if rated is not None else charts.text_cell(NOTHING),
    ]


def _list(caption: str, report: Report, rows: Sequence[tuple[RichTextElement, Tally]]) -> Sequence[BlockDict]:
    each = [
        RichTextSectionElement(elements=[name, text(f": {_in_words(report, tally)}")]) for name, tally in rows
    ]
    return [
        _rendered(rich_line(text(caption, bold=True))),
        _rendered(RichTextBlock(elements=[RichTextListElement(style="bullet", elements=each)])),
    ]


def _in_words(report: Report, tally: Tally) -> str:
    cells = [cell.get("text") or f"{cell['value']:,}" for cell in _cells(report, text(""), tally)[1:]]
    return " · ".join(f"{name} {cell}" for name, cell in zip(HEADER[1:], cells, strict=True))


def _person(user: str) -> RichTextElement:
    return RichTextElementParts.User(user_id=user)


def _place(channel: str) -> RichTextElement:
    if channel.startswith("D"):
        return text("a direct message")
    return RichTextElementParts.Channel(channel_id=channel)


def _rendered(block: Block) -> BlockDict:
    rendered: BlockDict = block.to_dict()
    return rendered

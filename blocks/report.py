"""What `/csat report` answers: a report in short, in words and in bars made of characters."""

from collections.abc import Iterator
from typing import Final

from slack_sdk.models.blocks import Block, RichTextBlock, RichTextPreformattedElement

from blocks.agent_home import FIRST_STEPS
from blocks.elements import Message, build_message, context, escape_mrkdwn, numbered_list, rich_line, text
from blocks.report_summary import METRIC_NAMES, caveats, distribution_text, summary_lines, summary_text
from csat.reporting.formatting import percent
from csat.reporting.reports import Report
from csat.reporting.scores import SampleSize, distribution, rate, sample_size

BAR_WIDTH: Final = 20
HOME_HINT: Final = (
    "This app's Home has more: trend, agents, channels, comments, and low ratings to look after."
)


def report_message(report: Report) -> Message:
    """Tell a supervisor the figures of a period; where nothing was asked yet, how to begin."""
    name = f"{METRIC_NAMES[report.filters.metric]}, {report.period.title}"
    if not (report.now.sent or report.before.sent or report.left_out):
        return _nothing(report, name)
    told = " ".join([f"{name}.", summary_text(report), distribution_text(report), *caveats(report)])
    blocks = [
        rich_line(text(name, bold=True)),
        *summary_lines(report),
        *_bars(report),
        context(*caveats(report), HOME_HINT),
    ]
    return build_message(escape_mrkdwn(told), blocks)


def _nothing(report: Report, name: str) -> Message:
    told = f"No {report.filters.metric.upper()} survey was sent in these days, nor as long before."
    first = (*FIRST_STEPS, "Ask for the report again: answers show as they come, usually within hours.")
    blocks = [
        rich_line(text(name, bold=True)),
        rich_line(text(f"{told} So you begin:")),
        numbered_list(*first),
    ]
    return build_message(escape_mrkdwn(f"{name}. {told} {' '.join(first)}"), blocks)


def _bars(report: Report) -> Iterator[Block]:
    """Yield how customers rated, the best first; as for screen readers, each row ends in its numbers."""
    if sample_size(report.now.rated) is SampleSize.TOO_FEW:
        return
    counts = distribution(report.filters.metric, report.now.ratings)
    most = max(counts.values())
    rows = [
        f"{rating:>2} {_bar(number, most)} {number:,} ({percent(rate(number, report.now.rated))})"
        for rating, number in reversed(list(counts.items()))
    ]
    yield RichTextBlock(elements=[RichTextPreformattedElement(elements=[text("\n".join(rows))])])


def _bar(number: int, most: int) -> str:
    return ("█" * round(BAR_WIDTH * number / most) or "▏" * (number > 0)).ljust(BAR_WIDTH)

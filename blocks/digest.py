"""The weekly digest, for everybody in the results channel: sums alone."""

from collections.abc import Iterator, Sequence
from typing import Final

from slack_sdk.models.blocks import Block, HeaderBlock, PlainTextObject

from blocks.elements import Message, build_message, context
from blocks.report_summary import INTERVAL, summary_lines, summary_text
from csat.reporting.reports import Report

EVERYBODY: Final = (
    "All surveys of the team are counted. A report in the app's Home leaves its reader's own ones out."
)
LATE: Final = "Late answers still change these figures."


def digest_message(reports: Sequence[Report]) -> Message:
    """Tell of a week against the one before; there is at least one metric's report, all of one week."""
    title = f"Last week: {reports[0].period.title}"
    return build_message(f"{title}. {' '.join(map(summary_text, reports))}", list(_blocks(title, reports)))


def _blocks(title: str, reports: Sequence[Report]) -> Iterator[Block]:
    yield HeaderBlock(text=PlainTextObject(text=title, emoji=False))
    for report in reports:
        yield from summary_lines(report)
    late = LATE if any(report.now.open for report in reports) else ""
    yield context(EVERYBODY, INTERVAL, late)

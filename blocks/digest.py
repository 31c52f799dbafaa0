"""The weekly digest in the results channel: aggregates only, as everyone there can read it."""

from collections.abc import Iterator, Sequence
from typing import Final

from slack_sdk.models.blocks import Block

from blocks.elements import Message, build_message, context, header
from blocks.report_summary import (
    INTERVAL_CAVEAT,
    LATE_ANSWERS,
    LeftOut,
    has_score,
    summary_lines,
    summary_text,
)
from csat.reporting.report_model import Report

WITHOUT_SUPERVISORS: Final = (
    "Supervisors' own surveys are left out, so that nobody can work out the answers to theirs."
)


def digest_message(reports: Sequence[Report]) -> Message:
    """Return the digest of one week from a report for each metric, of which there is at least one."""
    title = f"Last week: {reports[0].period.title}"
    summaries = [summary_text(report, _left_out(report)) for report in reports]
    return build_message(f"{title}. {' '.join(summaries)}", list(_blocks(title, reports)))


def _blocks(title: str, reports: Sequence[Report]) -> Iterator[Block]:
    yield header(title)
    for report in reports:
        yield from summary_lines(report, _left_out(report))
    left_out = WITHOUT_SUPERVISORS if any(report.excluded for report in reports) else ""
    interval = INTERVAL_CAVEAT if any(map(has_score, reports)) else ""
    late = LATE_ANSWERS if any(report.current.open for report in reports) else ""
    if any((left_out, interval, late)):
        yield context(left_out, interval, late)


def _left_out(report: Report) -> LeftOut:
    return LeftOut("supervisors' own surveys", report.excluded)

"""The weekly digest in the results channel: aggregates only, as everyone there can read it."""

from collections.abc import Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from slack_sdk.models.blocks import Block

from blocks.elements import Message, build_message, context, header, rich_line, text
from blocks.report_summary import (
    INTERVAL_CAVEAT,
    LATE_ANSWERS,
    LeftOut,
    has_score,
    summary_lines,
    summary_text,
)
from csat.english_dates import format_day
from csat.reporting.report_model import Report
from csat.surveys.follow_ups import OpenLowRatings

WITHOUT_SUPERVISORS: Final = (
    "Supervisors' own surveys are left out, so that nobody can work out the answers to theirs."
)
NOT_COUNTED: Final = "Those of supervisors' own surveys are not counted."


def digest_message(reports: Sequence[Report], waiting: OpenLowRatings) -> Message:
    """Return the digest of one week from a report for each metric, of which there is at least one."""
    week = reports[0].period
    title, to_follow_up = f"Last week: {week.title}", _format_waiting(waiting, week.zone)
    summaries = [
        summary_text(report, _left_out(report), omit_unknown_response_rate=True) for report in reports
    ]
    sentences = " ".join(filter(None, [f"{title}.", *summaries, to_follow_up]))
    return build_message(sentences, list(_blocks(title, reports, to_follow_up)))


def _blocks(title: str, reports: Sequence[Report], to_follow_up: str) -> Iterator[Block]:
    yield header(title)
    for report in reports:
        yield from summary_lines(report, _left_out(report), omit_unknown_response_rate=True)
    if to_follow_up:
        yield rich_line(text(to_follow_up))
    left_out = WITHOUT_SUPERVISORS if any(report.excluded for report in reports) else ""
    interval = INTERVAL_CAVEAT if any(map(has_score, reports)) else ""
    late = LATE_ANSWERS if any(report.current.open for report in reports) else ""
    if any((left_out, interval, late)):
        yield context(left_out, interval, late)


def _format_waiting(waiting: OpenLowRatings, zone: ZoneInfo) -> str:
    if waiting.oldest is None:
        return ""
    figures = f"{waiting.number:,} in all, {waiting.unassigned:,} unassigned"
    oldest = format_day(waiting.oldest.astimezone(zone))
    return f"Low ratings to follow up: {figures}, the oldest since {oldest}. {NOT_COUNTED}"


def _left_out(report: Report) -> LeftOut:
    return LeftOut("supervisors' own surveys", report.excluded)

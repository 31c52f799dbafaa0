"""The reply to `/csat report`: a short report in text, with bars made of characters."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from slack_sdk.models.blocks import Block, RichTextBlock, RichTextPreformattedElement

from blocks.agent_home import first_steps
from blocks.elements import Message, build_message, context, escape_mrkdwn, numbered_list, rich_line, text
from blocks.report_summary import (
    caveats,
    distribution_text,
    nothing_sent_text,
    own_left_out,
    report_title,
    summary_lines,
    summary_text,
)
from csat.reporting.formatting import format_share
from csat.reporting.report_model import Report
from csat.reporting.scores import SampleSize, classify_sample, distribution
from csat.surveys.networks import Network

BAR_WIDTH: Final = 20
HOME_HINT: Final = (
    "This app's Home shows more: trend, agents, channels, comments, and low ratings to follow up."
)
COME_BACK: Final = "Run the report again later: answers show as they arrive, usually within hours."


def report_message(
    report: Report, *, may_send: bool, networks: Collection[Network] = (Network.X,)
) -> Message:
    """Return the report, or if no survey was sent the first steps, for a reader who may send one.

    The steps are for customers in these networks.
    """
    title = report_title(report)
    if report.is_empty:
        steps = (*first_steps(networks), COME_BACK)
        is_new = may_send and report.is_first
        return _first_survey(report, title, steps) if is_new else _nothing_sent(report, title)
    left_out = own_left_out(report.excluded)
    sentences = [f"{title}.", summary_text(report, left_out), distribution_text(report), *caveats(report)]
    blocks = [
        rich_line(text(title, bold=True)),
        *summary_lines(report, left_out),
        *_bars(report),
        context(*caveats(report), HOME_HINT),
    ]
    return build_message(escape_mrkdwn(" ".join(filter(None, sentences))), blocks)


def _first_survey(report: Report, title: str, steps: Sequence[str]) -> Message:
    nothing_sent = _no_surveys(report)
    blocks = [
        rich_line(text(title, bold=True)),
        rich_line(text(f"{nothing_sent} To get started:")),
        numbered_list(*steps),
    ]
    return build_message(escape_mrkdwn(f"{title}. {nothing_sent} {' '.join(steps)}"), blocks)


def _nothing_sent(report: Report, title: str) -> Message:
    sentences = f"{_no_surveys(report)} {COME_BACK}" if report.is_first else _no_surveys(report)
    blocks = [rich_line(text(title, bold=True)), rich_line(text(sentences))]
    return build_message(escape_mrkdwn(f"{title}. {sentences}"), blocks)


def _no_surveys(report: Report) -> str:
    period, other = report.period, report.filters.other_metric
    return nothing_sent_text(report, f"type /csat report {period.first}..{period.last} {other}")


def _bars(report: Report) -> Iterator[Block]:
    """Yield the distribution, best rating first; each row ends in its numbers for screen readers."""
    if classify_sample(report.current.rated) is SampleSize.TOO_FEW:
        return
    counts = distribution(report.filters.metric, report.current.ratings)
    max_count = max(counts.values())
    rows = [
        f"{rating:>2} {_bar(count, max_count)} {count:,} ({format_share(count, report.current.rated)})"
        for rating, count in reversed(list(counts.items()))
    ]
    yield RichTextBlock(elements=[RichTextPreformattedElement(elements=[text("\n".join(rows))])])


def _bar(count: int, max_count: int) -> str:
    return ("█" * round(BAR_WIDTH * count / max_count) or "▏" * (count > 0)).ljust(BAR_WIDTH)

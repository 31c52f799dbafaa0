"""A supervisor's Home: what customers answered, and what is to be looked after."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from slack_sdk.models.blocks import Block, RichTextElement, RichTextElementParts

from blocks.agent_home import FIRST_STEPS, OwnSurveys, header, own_survey_blocks, truncate_line
from blocks.charts import HomePart
from blocks.elements import context, numbered_list, quote, rich_line, text, timestamp
from blocks.form_fields import BlockDict
from blocks.low_rating import list_entry
from blocks.report_charts import report_charts
from blocks.report_controls import report_controls
from blocks.report_summary import METRIC_NAMES, caveats, format_rating, summary_lines
from blocks.status import DATE_AND_TIME
from csat.reporting.formatting import NOTHING
from csat.reporting.periods import Period
from csat.reporting.report_query import ReportQuery
from csat.reporting.reports import Commented, Report
from csat.surveys.follow_ups import LowRating
from csat.surveys.questions import Catalogue, Metric

MAX_COMMENT_LENGTH: Final = 600
MAX_LOW_RATINGS: Final = 10
"""How many low ratings are listed."""


class LinkedComment(NamedTuple):
    """A comment, and where its conversation is."""

    comment: Commented
    link: str


class LinkedLowRating(NamedTuple):
    """A low rating, and where its conversation is."""

    rating: LowRating
    link: str


class SupervisorHome(NamedTuple):
    """All that a supervisor's Home says."""

    choices: ReportQuery
    report: Report
    comments: Sequence[LinkedComment]
    low: Sequence[LinkedLowRating] = ()
    """Those that nobody has closed yet, the oldest first."""
    own: OwnSurveys = OwnSurveys([], {})
    problem: str = ""
    """Why the dates that were chosen are not those that are shown."""


def supervisor_home(page: SupervisorHome, catalogue: Catalogue) -> Iterator[HomePart]:
    """Yield the Home of somebody who sees results."""
    report = page.report
    yield header("Feedback results")
    yield from report_controls(page.choices, report.period, catalogue)
    if page.problem:
        yield _rendered(rich_line(text(page.problem, bold=True)))
    if report.now.sent or report.before.sent or report.left_out or page.choices.filtered:
        yield from _results(report)
    else:
        yield from _nothing(report.period)
    yield from _low(page.low, catalogue)
    yield from _comments(page.comments, report.filters.metric)
    if page.own.newest:
        yield header("Your own surveys")
        yield from own_survey_blocks(page.own)


def _results(report: Report) -> Iterator[HomePart]:
    yield header(f"{METRIC_NAMES[report.filters.metric]}, {report.period.title}")
    yield from map(_rendered, summary_lines(report))
    yield _rendered(context(*caveats(report)))
    yield from report_charts(report)


def _nothing(period: Period) -> Iterator[HomePart]:
    yield header(period.title)
    yield _rendered(rich_line(text("No survey was sent in these days, nor as long before. So you begin:")))
    again = "Come back here: answers show as they come, usually within hours."
    yield _rendered(numbered_list(*FIRST_STEPS, again))


def _low(low: Sequence[LinkedLowRating], catalogue: Catalogue) -> Iterator[BlockDict]:
    if low:
        yield header("Low ratings to look after")
    for rating, link in low[:MAX_LOW_RATINGS]:
        yield from map(_rendered, list_entry(rating, catalogue, link))
    if len(low) > MAX_LOW_RATINGS:
        yield _rendered(context("These are the oldest. More are open, and show when these are closed."))


def _comments(comments: Sequence[LinkedComment], metric: Metric) -> Iterator[BlockDict]:
    if comments:
        yield header("Newest comments")
    for comment, link in comments:
        yield _rendered(rich_line(*_about(comment, link, metric)))
        yield _rendered(quote(text(truncate_line(comment.text, MAX_COMMENT_LENGTH) or NOTHING)))


def _about(comment: Commented, link: str, metric: Metric) -> Iterator[RichTextElement]:
    rating = format_rating(metric, comment.rating) if comment.rating is not None else "No rating"
    yield text(rating, bold=True)
    yield text(", ")
    yield timestamp(comment.given_at, DATE_AND_TIME)
    if comment.external_id:
        yield text(f", {truncate_line(comment.external_id)}")
    if link:
        yield text(", ")
        yield RichTextElementParts.Link(url=link, text="open the thread")


def _rendered(block: Block) -> BlockDict:
    rendered: BlockDict = block.to_dict()
    return rendered

"""The App Home of a supervisor: the report, low ratings, comments, and their own surveys."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from slack_sdk.models.blocks import RichTextElement, RichTextElementParts

from blocks.agent_home import MAX_REMARK_LENGTH, OwnSurveys, first_steps, own_survey_blocks
from blocks.block_json import BlockDict, render
from blocks.elements import (
    channel_mention,
    context,
    header,
    numbered_list,
    quote,
    rich_line,
    text,
    timestamp,
    truncate_line,
    user_mention,
)
from blocks.home_report_controls import report_controls
from blocks.low_rating import named_low_rating_blocks
from blocks.report_charts import report_charts
from blocks.report_summary import (
    METRIC_NAMES,
    caveats,
    format_rating,
    nothing_sent_text,
    own_left_out,
    summary_lines,
)
from blocks.tables_and_charts import HomePart
from csat.reporting.formatting import NO_VALUE
from csat.reporting.home_report_choices import ReportQuery
from csat.reporting.report_model import Filters, RecentComment, Report
from csat.surveys.follow_ups import NotedLowRating
from csat.surveys.networks import Network
from csat.surveys.questions import Catalogue, Metric
from csat.surveys.transports import FACTS

MAX_COMMENT_LENGTH: Final = 300
MAX_LOW_RATINGS: Final = 10
MAX_CLOSED: Final = 5

COME_BACK: Final = "Come back later: answers show as they arrive, usually within hours."
OPEN_SCOPE: Final = (
    "All that are open, except those of your own surveys. The choices at the top don't apply to this list."
)
MORE_OPEN: Final = "The {shown} oldest are shown. More will show as these are closed."
CLOSED_SCOPE: Final = (
    "Closed last first, except those of your own surveys. The choices at the top don't apply to this list."
)
MORE_CLOSED: Final = "The last {shown} are shown. /csat export has all of a period, with their notes."


class LinkedComment(NamedTuple):
    """A comment, and the link to its conversation."""

    comment: RecentComment
    link: str


class LinkedLowRating(NamedTuple):
    """A low rating, and the link to its conversation."""

    rating: NotedLowRating
    link: str


class SupervisorHome(NamedTuple):
    """The data of a supervisor's Home."""

    query: ReportQuery
    report: Report | None
    """`None` if there is none on the dates that were chosen."""
    comments: Sequence[LinkedComment]
    low_ratings: Sequence[LinkedLowRating] = ()
    """The ones that are not closed, oldest first."""
    open_count: int = 0
    """The number of low ratings that are not closed, with those that are not listed."""
    closed: Sequence[LinkedLowRating] = ()
    """The ones that were closed last, those first."""
    own: OwnSurveys = OwnSurveys([])
    problem: str = ""
    """Why there is no report."""
    may_send: bool = True
    """Whether the supervisor may send surveys."""
    reader: str = ""
    """The supervisor's user id."""
    has_transports: bool = False
    """Whether new surveys are sent by more than one transport."""
    networks: Collection[Network] = (Network.X,)
    """Where customers can be asked."""


def supervisor_home(home: SupervisorHome, catalogue: Catalogue) -> Iterator[HomePart]:
    """Yield the blocks of a supervisor's Home."""
    report = home.report
    yield render(header("Feedback results"))
    yield from report_controls(home.query, catalogue, has_transports=_has_transports(home))
    if report is None:
        yield render(rich_line(text(home.problem, bold=True)))
    elif home.query.has_filters or not report.is_empty:
        yield from _report(report, catalogue)
    else:
        yield from _nothing_sent(report, first_steps(home.networks) if home.may_send else ())
    yield from _low_ratings(home, catalogue)
    yield from _comments(home)
    yield from _closed(home, catalogue)
    if home.own.newest:
        yield render(header("Your own surveys"))
        yield from own_survey_blocks(home.own)


def _has_transports(home: SupervisorHome) -> bool:
    """Return True if there is a transport to choose, or one chosen."""
    is_mixed = home.report is not None and home.report.is_mixed
    return home.has_transports or is_mixed or home.query.transport is not None


def _report(report: Report, catalogue: Catalogue) -> Iterator[HomePart]:
    yield render(header(f"{METRIC_NAMES[report.filters.metric]}, {report.period.title}"))
    if chosen := list(_filters(report.filters, catalogue)):
        yield render(rich_line(text("Only surveys"), *chosen, text(".")))
    left_out = own_left_out(report.excluded)
    yield from map(render, summary_lines(report, left_out))
    if any(caveats(report)):
        yield render(context(*caveats(report)))
    yield from report_charts(report, left_out)


def _filters(filters: Filters, catalogue: Catalogue) -> Iterator[RichTextElement]:
    if filters.agent:
        yield text(" by ")
        yield user_mention(filters.agent)
    if filters.channel:
        yield text(" in ")
        yield channel_mention(filters.channel)
    if filters.variant is not None:
        question = catalogue.question(filters.metric, filters.variant, "…")
        yield text(f" with the question “{question}”")
    if filters.transport:
        yield text(f" sent as {FACTS[filters.transport].noun}")


def _nothing_sent(report: Report, steps: Sequence[str]) -> Iterator[HomePart]:
    nothing = nothing_sent_text(report, f"choose {report.filters.other_metric.upper()} above")
    yield render(header(f"{METRIC_NAMES[report.filters.metric]}, {report.period.title}"))
    if report.is_first and steps:
        yield render(rich_line(text(f"{nothing} To get started:")))
        yield render(numbered_list(*steps, COME_BACK))
    else:
        yield render(rich_line(text(f"{nothing} {COME_BACK}" if report.is_first else nothing)))


def _low_ratings(home: SupervisorHome, catalogue: Catalogue) -> Iterator[BlockDict]:
    if not home.low_ratings:
        return
    has_more = home.open_count > len(home.low_ratings)
    yield render(header(f"Low ratings to follow up: {home.open_count:,}"))
    yield render(context(OPEN_SCOPE, MORE_OPEN.format(shown=len(home.low_ratings)) if has_more else ""))
    for rating, link in home.low_ratings:
        yield from map(render, named_low_rating_blocks(rating, catalogue, home.reader, link))


def _closed(home: SupervisorHome, catalogue: Catalogue) -> Iterator[BlockDict]:
    if not home.closed:
        return
    more = MORE_CLOSED.format(shown=MAX_CLOSED) if len(home.closed) > MAX_CLOSED else ""
    yield render(header("Closed low ratings"))
    yield render(context(CLOSED_SCOPE, more))
    for rating, link in home.closed[:MAX_CLOSED]:
        yield from map(render, named_low_rating_blocks(rating, catalogue, home.reader, link))


def _comments(home: SupervisorHome) -> Iterator[BlockDict]:
    if home.report and home.comments:
        yield render(header(f"Newest comments{own_left_out(home.report.excluded).remark}"))
    for comment, link in home.comments:
        yield render(rich_line(*_comment_heading(comment, link, home.query.metric)))
        yield render(quote(text(truncate_line(comment.text, MAX_COMMENT_LENGTH) or NO_VALUE)))


def _comment_heading(comment: RecentComment, link: str, metric: Metric) -> Iterator[RichTextElement]:
    rating = "No rating" if comment.rating is None else format_rating(metric, comment.rating)
    yield text(rating, bold=True)
    yield text(", ")
    yield timestamp(comment.given_at)
    if comment.external_id:
        yield text(f", {truncate_line(comment.external_id, MAX_REMARK_LENGTH)}")
    if link:
        yield text(", ")
        yield RichTextElementParts.Link(url=link, text="open the thread")

"""A supervisor's Home: what customers answered, and what is to be looked after."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from slack_sdk.models.blocks import Block, RichTextElement, RichTextElementParts

from blocks.agent_home import FIRST_STEPS, Own, own_surveys, shortened, title
from blocks.charts import Part
from blocks.choices import choices_shown
from blocks.fields import Rendered
from blocks.figures import NAMES, caveats, figures, rating_words
from blocks.kit import line, moment, quote, small, steps, text
from blocks.limits import DATE
from blocks.low_rating import listed
from blocks.report_charts import drawn
from csat.reporting.formatting import NOTHING
from csat.reporting.periods import Period
from csat.reporting.report_query import ReportQuery
from csat.reporting.reports import Commented, Report
from csat.surveys.follow_ups import LowRating
from csat.surveys.questions import Catalogue, Metric

LONGEST_COMMENT: Final = 600
MOST_LOW: Final = 10
"""How many low ratings are listed."""


class Linked(NamedTuple):
    """A comment, and where its conversation is."""

    comment: Commented
    link: str


class Low(NamedTuple):
    """A low rating, and where its conversation is."""

    rating: LowRating
    link: str


class Page(NamedTuple):
    """All that a supervisor's Home says."""

    choices: ReportQuery
    report: Report
    comments: Sequence[Linked]
    low: Sequence[Low] = ()
    """Those that nobody has closed yet, the oldest first."""
    own: Own = Own([], {})
    problem: str = ""
    """Why the dates that were chosen are not those that are shown."""


def results_home(page: Page, catalogue: Catalogue) -> Iterator[Part]:
    """Yield the Home of somebody who sees results."""
    report = page.report
    yield title("Feedback results")
    yield from choices_shown(page.choices, report.period, catalogue)
    if page.problem:
        yield _rendered(line(text(page.problem, bold=True)))
    if report.now.sent or report.before.sent or report.left_out or page.choices.filtered:
        yield from _results(report)
    else:
        yield from _nothing(report.period)
    yield from _low(page.low, catalogue)
    yield from _comments(page.comments, report.filters.metric)
    if page.own.newest:
        yield title("Your own surveys")
        yield from own_surveys(page.own)


def _results(report: Report) -> Iterator[Part]:
    yield title(f"{NAMES[report.filters.metric]}, {report.period.title}")
    yield from map(_rendered, figures(report))
    yield _rendered(small(*caveats(report)))
    yield from drawn(report)


def _nothing(period: Period) -> Iterator[Part]:
    yield title(period.title)
    yield _rendered(line(text("No survey was sent in these days, nor as long before. So you begin:")))
    again = "Come back here: answers show as they come, usually within hours."
    yield _rendered(steps(*FIRST_STEPS, again))


def _low(low: Sequence[Low], catalogue: Catalogue) -> Iterator[Rendered]:
    if low:
        yield title("Low ratings to look after")
    for rating, link in low[:MOST_LOW]:
        yield from map(_rendered, listed(rating, catalogue, link))
    if len(low) > MOST_LOW:
        yield _rendered(small("These are the oldest. More are open, and show when these are closed."))


def _comments(comments: Sequence[Linked], metric: Metric) -> Iterator[Rendered]:
    if comments:
        yield title("Newest comments")
    for comment, link in comments:
        yield _rendered(line(*_about(comment, link, metric)))
        yield _rendered(quote(text(shortened(comment.text, LONGEST_COMMENT) or NOTHING)))


def _about(comment: Commented, link: str, metric: Metric) -> Iterator[RichTextElement]:
    rating = rating_words(metric, comment.rating) if comment.rating is not None else "No rating"
    yield text(rating, bold=True)
    yield text(", ")
    yield moment(comment.given_at, DATE)
    if comment.external_id:
        yield text(f", {shortened(comment.external_id)}")
    if link:
        yield text(", ")
        yield RichTextElementParts.Link(url=link, text="open the thread")


def _rendered(block: Block) -> Rendered:
    rendered: Rendered = block.to_dict()
    return rendered

"""The model of a report: counts alone, from which `csat.reporting.scores` computes figures.

Test surveys are never counted, and a response belongs to the period in which its survey was sent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple, TypeVar

from csat.reporting.periods import Period
from csat.reporting.scores import MIN_SCORE_RATINGS
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric
from csat.surveys.states import State
from csat.surveys.transports import TransportName

Key = TypeVar("Key", int, TransportName)

MAX_COMMENTS = 5
"""The number of comments in a report."""


class Filters(FrozenModel):
    """The surveys that a report covers; an empty filter excludes nothing."""

    team: str
    metric: Metric
    channel: str = ""
    agent: str = ""
    """The requester."""
    variant: int | None = None
    transport: TransportName | None = None
    exclude_requesters: frozenset[str] = frozenset()
    """The people whose surveys are not included: everybody who may read the report."""

    @property
    def other_metric(self) -> Metric:
        """The metric that the report does not cover."""
        return Metric.NPS if self.metric is Metric.CSAT else Metric.CSAT


class Tally(FrozenModel):
    """Counts of delivered surveys by their outcome."""

    ratings: Mapping[int, int] = {}
    """The number of times each rating was given; a rating that was never given may be missing."""
    sent: int = 0
    open: int = 0
    """Surveys that can still be answered; a late rating changes the report on an old period."""
    expired: int = 0
    finished: int = 0
    """Surveys whose 14 days to be answered have passed."""
    finished_rated: int = 0
    """The ones of those with a rating: their share is the response rate.

    Newer surveys would distort it, as they have had less time to be answered.
    """
    commented: int = 0
    """Ratings with a comment."""
    disowned: int = 0
    """Surveys whose reader said that they were meant for somebody else, neither open nor expired."""
    sent_as: Mapping[TransportName, int] = {}
    """The number of surveys by transport; a transport that was not used may be missing."""

    @property
    def rated(self) -> int:
        """The number of ratings."""
        return sum(self.ratings.values())

    @classmethod
    def total(cls, tallies: Iterable["Tally"]) -> "Tally":
        """Return the sum of some tallies."""
        parts = tuple(tallies)
        return cls(
            ratings=_sum_counts(part.ratings for part in parts),
            sent=sum(part.sent for part in parts),
            open=sum(part.open for part in parts),
            expired=sum(part.expired for part in parts),
            finished=sum(part.finished for part in parts),
            finished_rated=sum(part.finished_rated for part in parts),
            commented=sum(part.commented for part in parts),
            disowned=sum(part.disowned for part in parts),
            sent_as=_sum_counts(part.sent_as for part in parts),
        )


class GroupCounts(NamedTuple):
    """The tally of the surveys that one agent requested in one channel."""

    agent: str
    channel: str
    tally: Tally


class Bucket(FrozenModel):
    """One point of a trend."""

    period: Period
    label: str
    """The days, short enough for a chart."""
    tally: Tally


class FollowUpCounts(FrozenModel):
    """The number of low ratings, and of their follow-ups that were taken and closed."""

    low: int = 0
    taken: int = 0
    """Including those that were closed."""
    closed: int = 0


class RecentComment(FrozenModel):
    """A comment with the rating and the origin of its survey."""

    survey_id: int
    rating: int | None
    text: str
    given_at: datetime
    channel: str
    thread: str
    external_id: str


class OwnCounts(FrozenModel):
    """Counts of one person's surveys, without the answers; test surveys are not among the others."""

    sent: Mapping[Metric, int] = {}
    states: Mapping[State, int] = {}
    """Without the surveys that were disowned."""
    disowned: int = 0
    tests: int = 0


class Report(FrozenModel):
    """The figures of one metric for the surveys sent in a period."""

    filters: Filters
    period: Period
    current: Tally = Tally()
    previous: Tally = Tally()
    """The previous period of the same length."""
    data_begin: date | None = None
    """The day of the first survey on file with this metric, by whomever; `None` if there is none."""
    trend: tuple[Bucket, ...] = ()
    by_agent: Mapping[str, Tally] = {}
    by_channel: Mapping[str, Tally] = {}
    follow_up: FollowUpCounts = FollowUpCounts()
    comments: tuple[RecentComment, ...] = ()
    """The newest first."""
    excluded: int = 0
    """The number of surveys that are not included because of who requested them."""
    sent_with_other_metric: int = 0
    """The surveys with the other metric in the period, by whomever; counted only for an empty report."""

    @property
    def is_empty(self) -> bool:
        """Whether no survey was sent in the period, nor in the previous one."""
        return not (self.current.sent or self.previous.sent or self.excluded)

    @property
    def is_before_data(self) -> bool:
        """Whether the period ends before the first survey."""
        return self.data_begin is not None and self.period.last < self.data_begin

    @property
    def is_first(self) -> bool:
        """Whether nobody has sent a survey that this report could have shown, or could show in its place."""
        return self.data_begin is None and not (self.sent_with_other_metric or self.filters.transport)

    @property
    def previous_is_whole(self) -> bool:
        """Whether there was data from the previous period's first day on: only then is it compared."""
        return self.data_begin is not None and self.data_begin <= self.period.previous().first

    @property
    def is_mixed(self) -> bool:
        """Whether the surveys of the period and of the previous one were sent by several transports."""
        return len({*self.current.sent_as, *self.previous.sent_as}) > 1

    @property
    def mix_differs(self) -> bool:
        """Whether one of the two periods has a transport that the other lacks: then they are not compared."""
        current, previous = self.current.sent_as.keys(), self.previous.sent_as.keys()
        return bool(current and previous) and current != previous

    @property
    def agent_rows(self) -> tuple[tuple[str, Tally], ...]:
        """The agents with enough ratings to be shown, most ratings first."""
        return tuple(row for row in _rows(self.by_agent) if row[1].rated >= MIN_SCORE_RATINGS)

    @property
    def channel_rows(self) -> tuple[tuple[str, Tally], ...]:
        """The channels, most ratings first."""
        return tuple(_rows(self.by_channel))


def _sum_counts(parts: Iterable[Mapping[Key, int]]) -> dict[Key, int]:
    total = Counter[Key]()
    for part in parts:
        total.update(part)
    return dict(sorted(total.items()))


def _rows(tallies: Mapping[str, Tally]) -> list[tuple[str, Tally]]:
    by_name = sorted(tallies.items())
    return sorted(by_name, key=lambda row: (row[1].rated, row[1].sent), reverse=True)

"""A report: counts alone, from which `csat.reporting.scores` computes figures.

Test surveys are never counted, and a response belongs to the period in which its survey was sent.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from csat.reporting.periods import Period
from csat.reporting.scores import FEW_MIN
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric

NEWEST = 5
"""How many comments a report has."""


class Filters(FrozenModel):
    """Which surveys a report is about; what is empty leaves none out."""

    team: str
    metric: Metric
    channel: str = ""
    agent: str = ""
    """The requester, as of sending."""
    variant: int | None = None
    without: str = ""
    """The viewer, whose own surveys are left out."""


class Tally(FrozenModel):
    """What became of some surveys that X delivered."""

    ratings: Mapping[int, int] = {}
    """How often each rating was given; what nobody gave may be missing."""
    sent: int = 0
    open: int = 0
    """Not answered yet: a late answer changes an old period."""
    expired: int = 0
    commented: int = 0
    """Ratings that have a comment."""

    @property
    def rated(self) -> int:
        """How many customers gave a rating."""
        return sum(self.ratings.values())

    @classmethod
    def total(cls, tallies: Iterable["Tally"]) -> "Tally":
        """Return some tallies as one."""
        parts = tuple(tallies)
        ratings = sorted({rating for part in parts for rating in part.ratings})
        return cls(
            ratings={rating: sum(part.ratings.get(rating, 0) for part in parts) for rating in ratings},
            sent=sum(part.sent for part in parts),
            open=sum(part.open for part in parts),
            expired=sum(part.expired for part in parts),
            commented=sum(part.commented for part in parts),
        )


class GroupCounts(NamedTuple):
    """What became of the surveys that one agent sent from one channel."""

    agent: str
    channel: str
    tally: Tally


class Bucket(FrozenModel):
    """One point of a trend."""

    period: Period
    label: str
    """Its days, short enough for a chart."""
    tally: Tally


class FollowedUp(FrozenModel):
    """How many low ratings there were, and how many of them somebody took on and closed."""

    low: int = 0
    taken: int = 0
    """Those that were closed included."""
    closed: int = 0


class Commented(FrozenModel):
    """A customer's own words."""

    survey_id: int
    rating: int | None
    text: str
    given_at: datetime
    channel: str
    thread: str
    external_id: str


class Report(FrozenModel):
    """All that is shown of the answers to one metric's surveys of a period."""

    filters: Filters
    period: Period
    now: Tally = Tally()
    before: Tally = Tally()
    """Of as many days before."""
    trend: tuple[Bucket, ...] = ()
    by_agent: Mapping[str, Tally] = {}
    by_channel: Mapping[str, Tally] = {}
    follow_up: FollowedUp = FollowedUp()
    comments: tuple[Commented, ...] = ()
    """The newest ones first."""
    left_out: int = 0
    """How many surveys the viewer had sent."""

    @property
    def agents(self) -> tuple[tuple[str, Tally], ...]:
        """The rows of agents that may be shown, most ratings first: not what single customers answered."""
        return tuple(row for row in _rows(self.by_agent) if row[1].rated >= FEW_MIN)

    @property
    def channels(self) -> tuple[tuple[str, Tally], ...]:
        """The rows of channels, most ratings first."""
        return tuple(_rows(self.by_channel))


def _rows(tallies: Mapping[str, Tally]) -> list[tuple[str, Tally]]:
    by_name = sorted(tallies.items())
    return sorted(by_name, key=lambda row: (row[1].rated, row[1].sent), reverse=True)

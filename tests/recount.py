"""An independent count of an export's rows, to check the report's queries against."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from csat.reporting.export_rows import ExportRow
from csat.reporting.periods import Period
from csat.reporting.report_builder import build_report
from csat.reporting.report_model import (
    MAX_COMMENTS,
    Filters,
    FollowUpCounts,
    GroupCounts,
    RecentComment,
    Report,
    Tally,
)
from csat.surveys.responses import is_low
from csat.surveys.states import State
from csat.surveys.transports import TransportName

DELIVERED = frozenset({State.SENT, State.ANSWERED, State.EXPIRED})


class _TallyBuilder:
    """Counts the rows of a tally."""

    def __init__(self, now: datetime) -> None:
        self._finished_until = now - timedelta(days=14)
        self._ratings: Counter[int] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._sent_as: Counter[TransportName] = Counter()

    def add(self, row: ExportRow) -> None:
        self._outcomes.update(sent=1, disowned=row.disowned_at is not None)
        self._sent_as[row.transport] += 1
        if row.sent_at <= self._finished_until:
            self._outcomes.update(finished=1, finished_rated=row.rating is not None)
        if row.rating is None and row.disowned_at is None:
            self._outcomes["open"] += row.state is State.SENT
            self._outcomes["expired"] += row.state is State.EXPIRED
        if row.rating is not None:
            self._ratings[row.rating] += 1
            self._outcomes["commented"] += row.commented_at is not None

    def tally(self) -> Tally:
        ratings = dict(sorted(self._ratings.items()))
        return Tally(ratings=ratings, sent_as=dict(self._sent_as), **self._outcomes)


class Recount:
    """Counts the rows of a report comment by comment."""

    def __init__(self, filters: Filters, period: Period, now: datetime) -> None:
        self._filters = filters
        self._period = period
        self._buckets = period.buckets()
        self._previous_period = period.previous()
        self._counts: list[defaultdict[tuple[str, str], _TallyBuilder]] = [
            defaultdict(lambda: _TallyBuilder(now)) for _ in self._buckets
        ]
        self._previous_tally = _TallyBuilder(now)
        self._first_sent: datetime | None = None
        self._follow_up: Counter[str] = Counter()
        self._comments: list[RecentComment] = []

    def add(self, rows: Iterable[ExportRow]) -> "Recount":
        """Count more rows, in any order."""
        for row in filter(self._is_counted, rows):
            self._first_sent = min(self._first_sent or row.sent_at, row.sent_at)
            if not self._matches(row):
                continue
            if self._period.begin <= row.sent_at < self._period.end:
                self._count(row)
            elif self._previous_period.begin <= row.sent_at < self._previous_period.end and self._is_included(
                row
            ):
                self._previous_tally.add(row)
        return self

    def report(self) -> Report:
        """Return the report on all rows so far."""
        parts = [
            [GroupCounts(agent, channel, count.tally()) for (agent, channel), count in sorted(counts.items())]
            for counts in self._counts
        ]
        return build_report(
            self._filters,
            self._period,
            parts,
            self._previous_tally.tally(),
            self._first_sent,
            FollowUpCounts(**self._follow_up),
            tuple(self._comments),
        )

    def _is_counted(self, row: ExportRow) -> bool:
        is_delivered = row.state in DELIVERED and not row.test
        return is_delivered and (row.team, row.metric) == (self._filters.team, self._filters.metric)

    def _matches(self, row: ExportRow) -> bool:
        filters = self._filters
        return (
            filters.channel in ("", row.channel)
            and filters.agent in ("", row.requester)
            and filters.variant in (None, row.variant)
            and filters.transport in (None, row.transport)
        )

    def _is_in_previous_period(self, row: ExportRow) -> bool:
        return self._previous_period.begin <= row.sent_at < self._previous_period.end

    def _is_included(self, row: ExportRow) -> bool:
        return row.requester not in self._filters.exclude_requesters

    def _count(self, row: ExportRow) -> None:
        number = next(n for n, bucket in enumerate(self._buckets) if row.sent_at < bucket.end)
        self._counts[number][row.requester, row.channel].add(row)
        if not self._is_included(row):
            return
        if row.rating is not None and is_low(row.metric, row.rating):
            closed = row.low_closed_at is not None
            self._follow_up.update(low=1, taken=closed or row.low_taken_at is not None, closed=closed)
        if row.commented_at is not None:
            self._comments = heapq.nlargest(
                MAX_COMMENTS, [*self._comments, _recent_comment(row)], key=lambda comment: comment.given_at
            )


def _recent_comment(row: ExportRow) -> RecentComment:
    return RecentComment(
        survey_id=row.survey_id,
        rating=row.rating,
        text=row.comment,
        given_at=row.commented_at,
        channel=row.channel,
        thread=row.thread,
        external_id=row.external_id,
    )

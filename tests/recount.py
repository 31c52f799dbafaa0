"""An independent count of an export's rows, to check the report's queries against."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable

from csat.reporting.export_rows import ExportRow
from csat.reporting.periods import Period
from csat.reporting.report_builder import build_report
from csat.reporting.reports import (
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

DELIVERED = frozenset({State.SENT, State.ANSWERED, State.EXPIRED})


class _Count:
    """A tally in the making."""

    def __init__(self) -> None:
        self._ratings: Counter[int] = Counter()
        self._of: Counter[str] = Counter()

    def add(self, row: ExportRow) -> None:
        self._of["sent"] += 1
        if row.rating is None:
            self._of["open"] += row.state is State.SENT
            self._of["expired"] += row.state is State.EXPIRED
        else:
            self._ratings[row.rating] += 1
            self._of["commented"] += row.commented_at is not None

    def tally(self) -> Tally:
        return Tally(ratings=dict(sorted(self._ratings.items())), **self._of)


class Recount:
    """Counts the rows that a report is about, one after the other."""

    def __init__(self, filters: Filters, period: Period) -> None:
        self._filters = filters
        self._period = period
        self._buckets = period.buckets()
        self._previous = period.previous()
        self._counts: list[defaultdict[tuple[str, str], _Count]] = [
            defaultdict(_Count) for _ in self._buckets
        ]
        self._before = _Count()
        self._follow_up: Counter[str] = Counter()
        self._comments: list[RecentComment] = []

    def add(self, rows: Iterable[ExportRow]) -> "Recount":
        """Count more rows, in any order."""
        for row in filter(self._is_asked_for, rows):
            if self._period.begin <= row.sent_at < self._period.end:
                self._count(row)
            elif self._previous.begin <= row.sent_at < self._previous.end and self._is_shown(row):
                self._before.add(row)
        return self

    def report(self) -> Report:
        """Return what all rows so far amount to."""
        parts = [
            [GroupCounts(agent, channel, count.tally()) for (agent, channel), count in sorted(counts.items())]
            for counts in self._counts
        ]
        return build_report(
            self._filters,
            self._period,
            parts,
            self._before.tally(),
            FollowUpCounts(**self._follow_up),
            tuple(self._comments),
        )

    def _is_asked_for(self, row: ExportRow) -> bool:
        wanted = self._filters
        return (
            row.state in DELIVERED
            and not row.test
            and row.team == wanted.team
            and row.metric is wanted.metric
            and wanted.channel in ("", row.channel)
            and wanted.agent in ("", row.requester)
            and wanted.variant in (None, row.variant)
        )

    def _is_shown(self, row: ExportRow) -> bool:
        return row.requester != self._filters.exclude_requester

    def _count(self, row: ExportRow) -> None:
        number = next(n for n, bucket in enumerate(self._buckets) if row.sent_at < bucket.end)
        self._counts[number][row.requester, row.channel].add(row)
        if not self._is_shown(row):
            return
        if row.rating is not None and is_low(row.metric, row.rating):
            closed = row.low_closed_at is not None
            self._follow_up.update(low=1, taken=closed or row.low_taken_at is not None, closed=closed)
        if row.commented_at is not None:
            newest = heapq.nlargest(
                MAX_COMMENTS, [*self._comments, _commented(row)], key=lambda one: one.given_at
            )
            self._comments = newest


def _commented(row: ExportRow) -> RecentComment:
    return RecentComment(
        survey_id=row.survey_id,
        rating=row.rating,
        text=row.comment,
        given_at=row.commented_at,
        channel=row.channel,
        thread=row.thread,
        external_id=row.external_id,
    )

"""Builds a report from the database in several small reads at once, so that none of them takes long."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from csat.db.database import Database
from csat.reporting import report_queries
from csat.reporting.periods import Period
from csat.reporting.report_model import (
    MAX_COMMENTS,
    Bucket,
    Filters,
    FollowUpCounts,
    GroupCounts,
    RecentComment,
    Report,
    Tally,
)


async def fetch_report(database: Database, filters: Filters, period: Period, now: datetime) -> Report:
    """Return the report on a period, as of `now`; raises `DatabaseError`.

    The caller has checked that the viewer is a supervisor, and has noted it in the audit log.
    """
    buckets, (previous, first_sent, follow_up, comments) = await asyncio.gather(
        asyncio.gather(
            *(
                database.read(report_queries.count_by_group, filters, bucket, now)
                for bucket in period.buckets()
            )
        ),
        asyncio.gather(
            database.read(report_queries.count_all, filters, period.previous(), now),
            database.read(report_queries.find_first_sent, filters.team, filters.metric),
            database.read(report_queries.count_low_ratings, filters, period),
            database.read(report_queries.list_newest_comments, filters, period, MAX_COMMENTS),
        ),
    )
    report = build_report(filters, period, buckets, previous, first_sent, follow_up, comments)
    if not report.is_empty:
        return report
    other = Filters(
        team=filters.team,
        metric=filters.other_metric,
        channel=filters.channel,
        agent=filters.agent,
        transport=filters.transport,
    )
    tally = await database.read(report_queries.count_all, other, period, now)
    return report.model_copy(update={"sent_with_other_metric": tally.sent})


def build_report(
    filters: Filters,
    period: Period,
    buckets: Sequence[Sequence[GroupCounts]],
    previous: Tally,
    first_sent: datetime | None,
    follow_up: FollowUpCounts,
    comments: tuple[RecentComment, ...],
) -> Report:
    """Return a report from its parts; only `buckets` include those whom the filters exclude."""
    everything = [group for bucket in buckets for group in bucket]
    shown = _without(filters, everything)
    return Report(
        filters=filters,
        period=period,
        current=_total(shown),
        previous=previous,
        data_begin=first_sent.astimezone(period.zone).date() if first_sent else None,
        trend=tuple(
            Bucket(period=part, label=part.label, tally=_total(_without(filters, groups)))
            for part, groups in zip(period.buckets(), buckets, strict=True)
        ),
        by_agent=_totals_by(attrgetter("agent"), shown),
        by_channel=_totals_by(attrgetter("channel"), shown),
        follow_up=follow_up,
        comments=comments,
        excluded=_total(everything).sent - _total(shown).sent,
    )


def _without(filters: Filters, groups: Iterable[GroupCounts]) -> list[GroupCounts]:
    return [group for group in groups if group.agent not in filters.exclude_requesters]


def _totals_by(key: Callable[[GroupCounts], str], groups: Iterable[GroupCounts]) -> dict[str, Tally]:
    return {name: _total(same) for name, same in groupby(sorted(groups, key=key), key)}


def _total(groups: Iterable[GroupCounts]) -> Tally:
    return Tally.total(group.tally for group in groups)

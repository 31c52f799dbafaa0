"""The queries of a report, which count its surveys in the covering index `ix_surveys_report_counts` alone."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, false, func, select
from sqlalchemy.sql.elements import ColumnElement

from csat.db.tables import follow_ups, surveys
from csat.reporting.periods import Period
from csat.reporting.report_model import Filters, FollowUpCounts, GroupCounts, RecentComment, Tally
from csat.surveys.poll_schedule import finished_until
from csat.surveys.questions import SCALES, Metric
from csat.surveys.responses import LOW_RATINGS
from csat.surveys.states import State
from csat.surveys.transports import TransportName

c = surveys.c
DELIVERED = (State.SENT, State.ANSWERED, State.EXPIRED)
"""The states of surveys that X accepted; an uncertain survey is counted once it is settled."""
RATINGS = {
    metric: [func.count().filter(c.rating == rating) for rating in scale] for metric, scale in SCALES.items()
}
SENT_AS = [func.count().filter(c.transport == transport) for transport in TransportName]


def find_first_sent(connection: Connection, team: str, metric: Metric) -> datetime | None:
    """Return when the first survey on file was sent, `None` if there is none."""
    counted = (c.team == team, c.metric == metric, c.test == false(), c.state.in_(DELIVERED))
    query = select(c.sent_at).where(*counted, c.sent_at.is_not(None)).order_by(c.sent_at).limit(1)
    return connection.execute(query).scalar()


def count_by_group(
    connection: Connection, filters: Filters, period: Period, now: datetime
) -> list[GroupCounts]:
    """Count by agent and channel, including the surveys of those in `filters.exclude_requesters`."""
    everybody = _matching(filters.model_copy(update={"exclude_requesters": frozenset()}), period)
    query = select(c.requester, c.channel, *_counts(filters.metric, now)).where(*everybody)
    rows = connection.execute(query.group_by(c.requester, c.channel))
    return [GroupCounts(agent, channel, _tally(filters.metric, counts)) for agent, channel, *counts in rows]


def count_all(connection: Connection, filters: Filters, period: Period, now: datetime) -> Tally:
    """Count all surveys."""
    query = select(*_counts(filters.metric, now)).where(*_matching(filters, period))
    return _tally(filters.metric, connection.execute(query).one())


def count_low_ratings(connection: Connection, filters: Filters, period: Period) -> FollowUpCounts:
    """Count the low ratings, and those that were taken and closed."""
    is_taken = follow_ups.c.taken_at.is_not(None) | follow_ups.c.closed_at.is_not(None)
    query = (
        select(
            func.count().label("low"),
            func.count().filter(is_taken).label("taken"),
            func.count().filter(follow_ups.c.closed_at.is_not(None)).label("closed"),
        )
        .select_from(surveys.outerjoin(follow_ups, follow_ups.c.survey_id == c.id))
        .where(*_matching(filters, period), c.rating <= LOW_RATINGS[filters.metric][-1])
    )
    return FollowUpCounts(**connection.execute(query).one()._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def list_newest_comments(
    connection: Connection, filters: Filters, period: Period, limit: int
) -> tuple[RecentComment, ...]:
    """Return the newest comments on surveys of the period."""
    query = (
        select(
            c.id.label("survey_id"),
            c.rating,
            c.comment.label("text"),
            c.commented_at.label("given_at"),
            c.channel,
            c.thread,
            c.external_id,
        )
        # no comment is older than its survey: the index needs this lower bound
        .where(*_matching(filters, period), c.commented_at >= period.begin, c.comment.is_not(None))
        .order_by(c.commented_at.desc(), c.id.desc())
        .limit(limit)
    )
    return tuple(RecentComment(**row._mapping) for row in connection.execute(query))  # noqa: SLF001


def _counts(metric: Metric, now: datetime) -> list[ColumnElement[int]]:
    is_finished, is_rated = c.sent_at <= finished_until(now), c.rating.is_not(None)
    is_disowned = c.disowned_at.is_not(None)
    return [
        func.count(),
        func.count().filter(~is_rated, ~is_disowned, c.state == State.SENT),
        func.count().filter(~is_rated, ~is_disowned, c.state == State.EXPIRED),
        func.count().filter(is_finished),
        func.count().filter(is_finished, is_rated),
        func.count().filter(is_rated, c.commented_at.is_not(None)),
        func.count().filter(is_disowned),
        *SENT_AS,
        *RATINGS[metric],
    ]


def _matching(filters: Filters, period: Period) -> list[ColumnElement[bool]]:
    conditions = [
        c.team == filters.team,
        c.metric == filters.metric,
        c.test == false(),
        c.state.in_(DELIVERED),
        c.sent_at >= period.begin,
        c.sent_at < period.end,
    ]
    if filters.channel:
        conditions.append(c.channel == filters.channel)
    if filters.agent:
        conditions.append(c.requester == filters.agent)
    if filters.variant is not None:
        conditions.append(c.variant == filters.variant)
    if filters.transport:
        conditions.append(c.transport == filters.transport)
    if filters.exclude_requesters:
        conditions.append(c.requester.not_in(sorted(filters.exclude_requesters)))
    return conditions


def _tally(metric: Metric, counts: Sequence[int]) -> Tally:
    sent, unanswered, expired, finished, finished_rated, commented, disowned, *parts = counts
    sent_as, rated = parts[: len(SENT_AS)], parts[len(SENT_AS) :]
    return Tally(
        ratings={rating: count for rating, count in zip(SCALES[metric], rated, strict=True) if count},
        sent=sent,
        open=unanswered,
        expired=expired,
        finished=finished,
        finished_rated=finished_rated,
        commented=commented,
        disowned=disowned,
        sent_as={name: count for name, count in zip(TransportName, sent_as, strict=True) if count},
    )

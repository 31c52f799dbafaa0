"""Count one person's own surveys as the reports of supervisors do, without the answers."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, String, and_, case, cast, exists, false, func, literal, or_, select, true

from csat.db.survey_records import AGAIN, SENT_AGAIN
from csat.db.tables import surveys
from csat.reporting.periods import Period
from csat.reporting.report_model import OwnCounts
from csat.reporting.report_queries import DELIVERED
from csat.surveys.questions import Metric
from csat.surveys.states import State

MAX_WAIT: Final = timedelta(days=2)
"""A survey is sent sooner after it was accepted, or never."""

c = surveys.c
_again = surveys.alias("again")
_IS_REPLACED = and_(c.state == State.REFUSED, c.reason == SENT_AGAIN.reason)
_IS_REPEATED = exists().where(
    _again.c.view_id == literal(AGAIN) + cast(c.id, String),
    or_(_again.c.state.not_in((State.REFUSED, State.CANCELLED)), _again.c.reason == SENT_AGAIN.reason),
)
_is_counted_as_another = case((_IS_REPLACED, _IS_REPEATED), else_=false())
"""A survey that was sent again counts as the one in its place, unless that did not arrive."""
_shown_state = case((_IS_REPLACED, State.UNCERTAIN), else_=c.state)
"""A survey that was sent again may have arrived."""


def count_own(connection: Connection, team: str, requester: str, period: Period) -> OwnCounts:
    """Count the surveys sent in a period, and those accepted in it that were not sent."""
    counted_at = case((c.state.in_(DELIVERED), c.sent_at), else_=c.accepted_at)
    is_test, is_sent, is_disowned = c.test == true(), c.state.in_(DELIVERED), c.disowned_at.is_not(None)
    query = select(
        func.count().filter(is_test),
        func.count().filter(~is_test, is_disowned),
        *(func.count().filter(~is_test, is_sent, c.metric == metric) for metric in Metric),
        *(func.count().filter(~is_test, ~is_disowned, _shown_state == state) for state in State),
    ).where(
        c.team == team,
        c.requester == requester,
        c.accepted_at > period.begin - MAX_WAIT,
        counted_at >= period.begin,
        counted_at < period.end,
        ~_is_counted_as_another,
    )
    tests, disowned, *counts = connection.execute(query).one()
    by_metric, by_state = zip(Metric, counts, strict=False), zip(State, counts[len(Metric) :], strict=True)
    return OwnCounts(
        sent={metric: count for metric, count in by_metric if count},
        states=dict(by_state),
        disowned=disowned,
        tests=tests,
    )

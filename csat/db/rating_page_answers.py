"""The answers that customers give on the rating page.

Every transaction locks its survey first, and repeating it changes nothing.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select, update

from csat.db import opt_outs
from csat.db.outbox import NotificationKind, enqueue
from csat.db.responses import store_response, to_response
from csat.db.survey_records import AGAIN, SENT_AGAIN
from csat.db.survey_transitions import transition, transition_to
from csat.db.tables import attempts, surveys
from csat.surveys.limits import DAY
from csat.surveys.opt_outs import How
from csat.surveys.questions import Metric
from csat.surveys.rating_page import RatingPage
from csat.surveys.responses import Comment, Rating
from csat.surveys.states import State
from csat.surveys.transports import FACTS, TransportName

_SENDING = transition_to(State.SENDING)
_SENT = transition_to(State.SENT)


class Rated(NamedTuple):
    """A page after a rating."""

    page: RatingPage
    is_first: bool
    """Whether the survey had no rating before."""


def find(connection: Connection, survey_id: int, accepted_second: int) -> RatingPage | None:
    """Return the page of a survey, or `None` if there is none, as for an erased customer.

    `accepted_second` is when the survey was accepted, in whole seconds since 1970: the number alone may be
    another one's by now.
    """
    accepted_at = select(surveys.c.accepted_at).where(surveys.c.id == survey_id)
    found = connection.execute(accepted_at).scalar_one_or_none()
    if found is None or int(found.timestamp()) != accepted_second:
        return None
    row = _find(connection, select(surveys), survey_id)
    return _to_page(connection, row) if row else None


def rate(connection: Connection, survey_id: int, value: int, now: datetime) -> Rated | None:
    """Store a rating that is on the scale, if the page still takes one; return `None` without a page."""
    row = _lock(connection, survey_id)
    if row is None:
        return None
    page = _to_page(connection, row)
    before = page.response.rating
    if not page.takes_rating(now) or (before and before.value == value):
        return Rated(page, is_first=False)
    _settle_as_sent(connection, row, now)
    rating = Rating(value=value, given_at=before.given_at if before else now)
    response = page.response.model_copy(update={"rating": rating})
    is_first = store_response(connection, row, response, now)
    return Rated(page.model_copy(update={"response": response}), is_first)


def comment(connection: Connection, survey_id: int, text: str, now: datetime) -> RatingPage | None:
    """Store the comment on a rating, if the page still takes one; return `None` without a page."""
    row = _lock(connection, survey_id)
    if row is None:
        return None
    page = _to_page(connection, row)
    if not page.takes_comment(now):
        return page
    response = page.response.model_copy(update={"comment": Comment(text=text, given_at=now)})
    store_response(connection, row, response, now)
    return page.model_copy(update={"response": response})


def disown(connection: Connection, survey_id: int, now: datetime) -> RatingPage | None:
    """Store that a survey is not meant for its reader, unless it was answered.

    From then on it takes no answer. Returns `None` without a page.
    """
    row = _lock(connection, survey_id)
    if row is None:
        return None
    page = _to_page(connection, row)
    if not page.can_be_disowned(now):
        return page
    _settle_as_sent(connection, row, now)
    connection.execute(update(surveys).where(surveys.c.id == row.id).values(disowned_at=now))
    return page.model_copy(update={"disowned_at": now})


def opt_out(connection: Connection, survey_id: int, now: datetime) -> RatingPage | None:
    """Record that the customer is not to be asked again, also once the page is closed.

    Returns `None` without a page.
    """
    row = _lock(connection, survey_id)
    if row is None:
        return None
    _settle_as_sent(connection, row, now)
    opt_outs.record(connection, row.recipient_key, how=How.RATING_PAGE, team="", by="", reason="", now=now)
    return _to_page(connection, row)


def _lock(connection: Connection, survey_id: int) -> Row[Any] | None:
    return _find(connection, select(surveys).with_for_update(), survey_id)


def _find(connection: Connection, query: Select[Any], survey_id: int) -> Row[Any] | None:
    """Return a survey, or the one that was sent in its place, unless there is nothing to answer."""
    row = connection.execute(query.where(surveys.c.id == survey_id)).first()
    while row and (row.state, row.reason) == (State.REFUSED, SENT_AGAIN.reason):
        row = connection.execute(query.where(surveys.c.view_id == f"{AGAIN}{row.id}")).first()
    if row is None or (row.recipient_handle is None and row.recipient_id is None):
        return None
    if not FACTS[TransportName(row.transport)].asks_on_page or row.state in (State.REFUSED, State.CANCELLED):
        return None
    return row


def _settle_as_sent(connection: Connection, survey: Row[Any], now: datetime) -> None:
    """Mark a survey as sent whose customer has opened its link, whatever its attempts have come to."""
    sent_at = survey.sent_at or now
    values = {
        "sent_at": sent_at,
        "quota_until": sent_at + DAY,
        "reconcile_at": None,
        "poll_at": FACTS[TransportName(survey.transport)].first_poll(sent_at),
        "lease_owner": None,
        "lease_until": None,
    }
    transition(connection, _SENDING, survey.id)
    if not transition(connection, _SENT, survey.id, **values):
        return
    last = (attempts.c.survey_id == survey.id, attempts.c.number == survey.attempts)
    connection.execute(update(attempts).where(*last).values(ended_at=now, outcome=State.SENT, detail=""))
    enqueue(connection, survey.id, NotificationKind.SENT, now)


def _to_page(connection: Connection, row: Row[Any]) -> RatingPage:
    return RatingPage(
        metric=Metric(row.metric),
        variant=row.variant,
        display_name=row.display_name,
        privacy_url=row.privacy_url,
        asked_at=row.sent_at or row.accepted_at,
        response=to_response(row),
        disowned_at=row.disowned_at,
        has_opted_out=opt_outs.find(connection, row.recipient_key) is not None,
    )

"""The answers that customers give on the rating page, or in Slack.

Every transaction locks its survey first, and repeating it changes nothing.
"""

from datetime import datetime
from enum import Enum, auto
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select, update

from csat.db import opt_outs
from csat.db.reconciliation import settle_as_sent
from csat.db.responses import store_response, to_response
from csat.db.sent_again import find_answerable
from csat.db.survey_records import to_record, was_accepted_at
from csat.db.tables import surveys
from csat.surveys.customer_survey import CustomerSurvey
from csat.surveys.opt_outs import How
from csat.surveys.responses import Comment, Rating, Response
from csat.surveys.transports import FACTS, TransportName


class Outcome(Enum):
    """The outcome of a rating."""

    FIRST = auto()
    """It is stored; the survey had none."""
    HOLDS = auto()
    """It holds: stored in place of another one, or the same as before."""
    REPEATED = auto()
    """This choice, or a later one, was stored before."""
    LATE = auto()
    """Another one holds, which can't be changed any more."""
    REFUSED = auto()
    """The survey has none, and takes none any more."""


class Rated(NamedTuple):
    """A survey after a rating."""

    survey: CustomerSurvey
    outcome: Outcome


class Given(NamedTuple):
    """An answer that was given all at once."""

    rating: int
    comment: str


def find(connection: Connection, survey_id: int, accepted_second: int) -> CustomerSurvey | None:
    """Return a survey, or `None` if there is none, as for an erased customer.

    `accepted_second` is when the survey was accepted, in whole seconds since 1970: the number alone may be
    another one's by now.
    """
    if not was_accepted_at(connection, survey_id, accepted_second):
        return None
    row = _find(connection, select(surveys), survey_id)
    return _to_asked(connection, row) if row else None


def rate(
    connection: Connection,
    survey_id: int,
    value: int,
    now: datetime,
    *,
    chosen_at: datetime | None = None,
    receipt_id: str = "",
) -> Rated | None:
    """Store a rating that is on the scale, if the survey still takes one; return `None` without a survey.

    Args:
        connection: of a transaction.
        survey_id: the id of the survey, or of one that was sent again in its place.
        value: the rating.
        now: the current time.
        chosen_at: when the customer chose the rating, by a clock that is the same for all of the survey's;
            the one that was chosen last holds, whatever the order in which they are stored.
        receipt_id: the id of the message with the survey, which is stored unless there was a receipt.
    """
    row = _lock(connection, survey_id)
    if row is None:
        return None
    _store_receipt_id(connection, survey_id, receipt_id)
    survey = _to_asked(connection, row)
    before = survey.response.rating
    if _is_stored(chosen_at, row.rating_chosen_at):
        return Rated(survey, Outcome.REPEATED)
    if not survey.takes_rating(now):
        return Rated(survey, _outcome_if_closed(before, value))
    if chosen_at:
        connection.execute(update(surveys).where(surveys.c.id == row.id).values(rating_chosen_at=chosen_at))
    if before and before.value == value:
        return Rated(survey, Outcome.HOLDS)
    settle_as_sent(connection, row, now)
    rating = Rating(value=value, given_at=before.given_at if before else now)
    response = survey.response.model_copy(update={"rating": rating})
    is_first = store_response(connection, row, response, now)
    rated = survey.model_copy(update={"response": response})
    return Rated(rated, Outcome.FIRST if is_first else Outcome.HOLDS)


def comment(connection: Connection, survey_id: int, text: str, now: datetime) -> CustomerSurvey | None:
    """Store the comment on a rating, if the survey still takes one; return `None` without a survey."""
    row = _lock(connection, survey_id)
    if row is None:
        return None
    survey = _to_asked(connection, row)
    if not survey.takes_comment(now):
        return survey
    response = survey.response.model_copy(update={"comment": Comment(text=text, given_at=now)})
    store_response(connection, row, response, now)
    return survey.model_copy(update={"response": response})


def disown(connection: Connection, survey_id: int, now: datetime) -> CustomerSurvey | None:
    """Store that a survey is not meant for its reader, unless it was answered.

    From then on it takes no answer. Returns `None` without a survey.
    """
    row = _lock(connection, survey_id)
    if row is None:
        return None
    survey = _to_asked(connection, row)
    if not survey.can_be_disowned(now):
        return survey
    settle_as_sent(connection, row, now)
    connection.execute(update(surveys).where(surveys.c.id == row.id).values(disowned_at=now))
    return survey.model_copy(update={"disowned_at": now})


def opt_out(
    connection: Connection, survey_id: int, how: How, now: datetime, *, receipt_id: str = ""
) -> CustomerSurvey | None:
    """Record that the customer is not to be asked again, also once the survey is closed.

    Returns `None` without a survey.
    """
    row = _lock(connection, survey_id)
    if row is None:
        return None
    _store_receipt_id(connection, survey_id, receipt_id)
    settle_as_sent(connection, row, now)
    opt_outs.record(connection, row.recipient_key, how=how, team="", by="", reason="", now=now)
    return _to_asked(connection, row)


def answer(
    connection: Connection, survey_id: int, given: Given, now: datetime, *, receipt_id: str = ""
) -> Rated | None:
    """Store a whole answer, if the survey has none and still takes one; return `None` without a survey.

    It can't be changed: another one is late.
    """
    row = _lock(connection, survey_id)
    if row is None:
        return None
    before = _to_asked(connection, row)
    if before.response.rating:
        return Rated(before, Outcome.HOLDS if _is_same(before.response, given) else Outcome.LATE)
    rated = rate(connection, survey_id, given.rating, now, receipt_id=receipt_id)
    if rated and given.comment:
        commented = comment(connection, survey_id, given.comment, now)
        return rated._replace(survey=commented or rated.survey)
    return rated


def _is_same(response: Response, given: Given) -> bool:
    comment = response.comment.text if response.comment else ""
    return response.rating is not None and (response.rating.value, comment) == given


def _lock(connection: Connection, survey_id: int) -> Row[Any] | None:
    return _find(connection, select(surveys).with_for_update(), survey_id)


def _find(connection: Connection, query: Select[Any], survey_id: int) -> Row[Any] | None:
    """Return a survey, or the last one in its place that may have arrived, if it can be answered."""
    row = find_answerable(connection, query, survey_id)
    if row is None or (row.recipient_handle is None and row.recipient_id is None):
        return None
    return None if FACTS[TransportName(row.transport)].is_polled else row


def _is_stored(chosen_at: datetime | None, stored: datetime | None) -> bool:
    """Return True if the choice that is stored is this one, or a later one."""
    return chosen_at is not None and stored is not None and chosen_at <= stored


def _outcome_if_closed(before: Rating | None, value: int) -> Outcome:
    if before is None:
        return Outcome.REFUSED
    return Outcome.HOLDS if before.value == value else Outcome.LATE


def _store_receipt_id(connection: Connection, survey_id: int, receipt_id: str) -> None:
    if receipt_id:
        unknown = (surveys.c.id == survey_id, surveys.c.feedback_id.is_(None))
        connection.execute(update(surveys).where(*unknown).values(feedback_id=receipt_id))


def _to_asked(connection: Connection, row: Row[Any]) -> CustomerSurvey:
    record = to_record(row)
    return CustomerSurvey(
        id=record.id,
        survey=record.survey,
        origin=record.origin,
        accepted_at=record.accepted_at,
        asked_at=row.sent_at or record.accepted_at,
        receipt_id=record.feedback_id or "",
        response=to_response(row),
        disowned_at=row.disowned_at,
        has_opted_out=opt_outs.find(connection, row.recipient_key) is not None,
    )

"""Erasing a customer: what is kept of each survey is what counts, and what keeps it from happening again.

The keyed hash keeps the cooldown, and lets later news from X be known as news of somebody who was forgotten.
State, metric, rating and dates are a number in the figures.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, or_, select, update

from csat.db.limits import NEVER
from csat.db.outbox import NotificationKind
from csat.db.pruning import FINISHED
from csat.db.tables import attempts, follow_ups, outbox, surveys, unmatched_responses
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.recipients import Recipient
from csat.surveys.states import State, predecessors

ERASED_VALUES: dict[str, Any] = {
    "recipient_handle": None,
    "recipient_id": None,
    "message": "",
    "external_id": "",
    "thread": "",
    "response_url": "",
    "advice": "",
    "comment": None,
}
"""What a survey says once its customer is forgotten; `advice` may hold words of X."""

_ERASABLE = and_(FINISHED, ~exists().where(outbox.c.survey_id == surveys.c.id, outbox.c.due_at.is_not(None)))
"""Nothing is under way, and nothing is about to be told."""


class PostedMessage(FrozenModel):
    """A message in Slack that names the customer."""

    survey_id: int
    kind: NotificationKind
    requester: str
    channel: str
    ts: str
    """Empty where Slack did not say: then nobody but a person can change it."""


class CustomerSurveys(NamedTuple):
    """What the ledger knows of a customer."""

    survey_ids: list[int]
    recipient_ids: list[str]
    """Several where a handle has had several owners on X."""


def find_surveys(connection: Connection, recipient: Recipient) -> CustomerSurveys:
    """Find all surveys to a customer: by id, by handle, and by what else is known to be theirs.

    A survey to somebody whose id is known is found by that alone: handles change their owners. This reads
    the whole table.
    """
    handle = (recipient.handle or "").lower()
    owners = select(surveys.c.recipient_id).where(_handle() == handle, surveys.c.recipient_id.is_not(None))
    ids = {recipient.id, *connection.execute(owners.distinct()).scalars()} - {None}
    known = surveys.c.recipient_id.in_(ids)
    had = or_(_handle() == handle, _handle().in_(select(_handle()).where(known)))
    theirs = select(surveys.c.id).where(or_(known, and_(surveys.c.recipient_id.is_(None), had)))
    found = connection.execute(theirs.order_by(surveys.c.id)).scalars()
    return CustomerSurveys(list(found), sorted(map(str, ids)))


def cancel_waiting(connection: Connection, survey_ids: list[int]) -> dict[int, str]:
    """Cancel those that wait to be sent; returns for each the person who asked for it."""
    waiting = (surveys.c.id.in_(survey_ids), surveys.c.state.in_(predecessors(State.CANCELLED)))
    cancelling = update(surveys).where(*waiting).values(state=State.CANCELLED, quota_until=NEVER)
    rows = connection.execute(cancelling.returning(surveys.c.id, surveys.c.requester))
    return {row.id: row.requester for row in rows}


def list_erasable(connection: Connection, survey_ids: list[int]) -> list[int]:
    """Return those that can be erased now; with the others, something is still under way."""
    found = select(surveys.c.id).where(surveys.c.id.in_(survey_ids), _ERASABLE)
    return list(connection.execute(found.order_by(surveys.c.id)).scalars())


def list_posted(connection: Connection, survey_id: int) -> list[PostedMessage]:
    """Return what Slack was told of a survey."""
    told = select(outbox, surveys.c.requester, surveys.c.channel.label("asked_in")).join(
        surveys, surveys.c.id == outbox.c.survey_id
    )
    rows = connection.execute(told.where(surveys.c.id == survey_id, outbox.c.sent_at.is_not(None)))
    return [_to_posted(row) for row in rows]


def erase(connection: Connection, survey_id: int) -> bool:
    """Erase the customer from a survey; whether nothing was under way, so that it could be done."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")  # also from the pages of the file
    key = select(surveys.c.recipient_key).where(surveys.c.id == survey_id)
    connection.execute(delete(unmatched_responses).where(unmatched_responses.c.recipient_key.in_(key)))
    erasing = update(surveys).where(surveys.c.id == survey_id, _ERASABLE).values(ERASED_VALUES)
    if connection.execute(erasing).rowcount == 0:
        return False
    connection.execute(delete(outbox).where(outbox.c.survey_id == survey_id))
    connection.execute(update(attempts).where(attempts.c.survey_id == survey_id).values(detail=None))
    connection.execute(update(follow_ups).where(follow_ups.c.survey_id == survey_id).values(note=None))
    return True


def _handle() -> ColumnElement[str]:
    return func.lower(surveys.c.recipient_handle)


def _to_posted(row: Row[Any]) -> PostedMessage:
    return PostedMessage(
        survey_id=row.survey_id,
        kind=row.kind,
        requester=row.requester,
        channel=row.channel or row.asked_in,
        ts=row.ts or "",
    )

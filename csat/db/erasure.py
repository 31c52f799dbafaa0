"""Erase a customer from their surveys.

A survey keeps its state, metric, rating and dates, which are figures, and the keyed hash of its recipient, so
that the cooldown still applies, and later updates from X are recognized and ignored.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    update,
)

from csat.db.limits import NEVER
from csat.db.outbox import CLAIM_LEASE, NotificationKind
from csat.db.pruning import FINISHED
from csat.db.tables import attempts, follow_ups, outbox, surveys, unmatched_responses
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.recipients import Recipient
from csat.surveys.slack_survey_ids import parse_receipt_id
from csat.surveys.states import State, predecessors
from csat.surveys.transports import FACTS

_RECEIPT_NAMES_CUSTOMER = surveys.c.transport.in_(
    [name for name, facts in FACTS.items() if facts.receipt_names_customer]
)

ERASED_VALUES: dict[str, Any] = {
    "recipient_handle": None,
    "recipient_id": None,
    "message": "",
    "external_id": "",
    "thread": "",
    "response_url": "",
    "advice": "",  # can quote X
    "comment": None,
    "feedback_id": case((_RECEIPT_NAMES_CUSTOMER, null()), else_=surveys.c.feedback_id),
}
"""The columns of an erased survey."""

_MAX_CLAIM = 2 * CLAIM_LEASE
"""A notification that is due later is put back: no instance has claimed it, even if their clocks differ."""

_OVERDUE = timedelta(minutes=2)
"""No running app takes up a row that was due longer ago, even if its clock differs."""


class PostedMessage(FrozenModel):
    """A message in Slack that names the customer."""

    survey_id: int
    kind: NotificationKind
    requester: str
    channel: str
    ts: str
    """Empty if it is unknown; then the app can't change the message."""


class CustomerSurveys(NamedTuple):
    """The surveys to a customer."""

    teams: dict[int, str]
    """The workspace of each survey, by survey id."""
    recipient_ids: list[str]
    """More than one if accounts on X have shared a handle."""


def find_surveys(connection: Connection, recipient: Recipient) -> CustomerSurveys:
    """Find all surveys to a customer, by id and by every handle that the id was seen with.

    A survey with another recipient's id never matches by handle, because handles change owners. Reads the
    whole table.
    """
    handle = (recipient.handle or "").lower()
    owners = select(surveys.c.recipient_id).where(_handle() == handle, surveys.c.recipient_id.is_not(None))
    ids = {recipient.id, *connection.execute(owners.distinct()).scalars()} - {None}
    has_id = surveys.c.recipient_id.in_(ids)
    has_handle = or_(_handle() == handle, _handle().in_(select(_handle()).where(has_id)))
    is_theirs = or_(has_id, and_(surveys.c.recipient_id.is_(None), has_handle))
    rows = connection.execute(select(surveys.c.id, surveys.c.team).where(is_theirs).order_by(surveys.c.id))
    return CustomerSurveys({row.id: row.team for row in rows}, sorted(map(str, ids)))


def cancel_waiting(connection: Connection, survey_ids: list[int]) -> dict[int, str]:
    """Cancel the surveys that wait to be sent; return their requesters by survey id."""
    waiting = (surveys.c.id.in_(survey_ids), surveys.c.state.in_(predecessors(State.CANCELLED)))
    statement = update(surveys).where(*waiting).values(state=State.CANCELLED, quota_until=NEVER)
    rows = connection.execute(statement.returning(surveys.c.id, surveys.c.requester))
    return {row.id: row.requester for row in rows}


def abandon(connection: Connection, survey_ids: list[int], now: datetime) -> None:
    """Give up announcing and looking for surveys that no running app announces or looks for any more."""
    unannounced = (outbox.c.survey_id.in_(survey_ids), outbox.c.due_at < now - _OVERDUE)
    connection.execute(update(outbox).where(*unannounced).values(due_at=None))
    is_unsought = and_(surveys.c.state == State.UNCERTAIN, surveys.c.reconcile_at < now - _OVERDUE)
    left = update(surveys).where(surveys.c.id.in_(survey_ids), is_unsought)
    connection.execute(left.values(reconcile_at=None))


def list_erasable(connection: Connection, survey_ids: list[int], now: datetime) -> list[int]:
    """Return the surveys that can be erased now; the others are still being sent, reconciled or announced."""
    query = select(surveys.c.id).where(surveys.c.id.in_(survey_ids), _is_erasable(now))
    return list(connection.execute(query.order_by(surveys.c.id)).scalars())


def find_last_check(connection: Connection, survey_ids: list[int]) -> datetime | None:
    """Return when the last of the uncertain surveys is looked for; `None` if none of them is."""
    query = select(func.max(surveys.c.reconcile_at)).where(surveys.c.id.in_(survey_ids))
    return connection.execute(query).scalar()


def list_posted(connection: Connection, survey_id: int) -> list[PostedMessage]:
    """Return the messages about a survey that were posted in Slack."""
    query = select(outbox, surveys.c.requester, surveys.c.channel.label("survey_channel")).join(
        surveys, surveys.c.id == outbox.c.survey_id
    )
    rows = connection.execute(query.where(surveys.c.id == survey_id, outbox.c.sent_at.is_not(None)))
    return [_to_posted(row) for row in rows]


def find_message_to_customer(connection: Connection, survey_id: int) -> tuple[str, str] | None:
    """Return the channel and the `ts` of a survey in Slack, if they are known."""
    query = select(surveys.c.feedback_id).where(surveys.c.id == survey_id, _RECEIPT_NAMES_CUSTOMER)
    receipt_id = connection.execute(query).scalar()
    return parse_receipt_id(receipt_id) if receipt_id else None


def erase(connection: Connection, survey_id: int, now: datetime) -> bool:
    """Erase the customer from a survey, and messages that were put back; return False if not erasable."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")  # also overwrite the pages of the file
    key = select(surveys.c.recipient_key).where(surveys.c.id == survey_id)
    connection.execute(delete(unmatched_responses).where(unmatched_responses.c.recipient_key.in_(key)))
    statement = update(surveys).where(surveys.c.id == survey_id, _is_erasable(now)).values(ERASED_VALUES)
    if connection.execute(statement).rowcount == 0:
        return False
    connection.execute(delete(outbox).where(outbox.c.survey_id == survey_id))
    connection.execute(update(attempts).where(attempts.c.survey_id == survey_id).values(detail=None))
    connection.execute(update(follow_ups).where(follow_ups.c.survey_id == survey_id).values(note=None))
    return True


def _is_erasable(now: datetime) -> ColumnElement[bool]:
    """Return a condition on surveys: they are finished, and have no notification that may be posted now."""
    is_announced = exists().where(outbox.c.survey_id == surveys.c.id, outbox.c.due_at <= now + _MAX_CLAIM)
    return and_(FINISHED, ~is_announced)


def _handle() -> ColumnElement[str]:
    return func.lower(surveys.c.recipient_handle)


def _to_posted(row: Row[Any]) -> PostedMessage:
    return PostedMessage(
        survey_id=row.survey_id,
        kind=row.kind,
        requester=row.requester,
        channel=row.channel or row.survey_channel,
        ts=row.ts or "",
    )

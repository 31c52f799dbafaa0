"""Surveys that X is asked about: each in its turn, by one instance, until there is nothing more to learn."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select, update

from csat.db import feeds
from csat.db.outbox import NotificationKind, enqueue
from csat.db.tables import surveys
from csat.db.transitions import transition, transition_to
from csat.surveys.poll_schedule import expires_at, is_past_last_poll, next_poll
from csat.surveys.states import State

_EXPIRED = transition_to(State.EXPIRED)


class Poll(NamedTuple):
    """A survey that X is to be asked about."""

    survey_id: int
    feedback_id: str
    due_at: datetime


def claim(connection: Connection, account: str, now: datetime, most: int) -> list[Poll]:
    """Claim surveys to ask about, as many as the budget allows; those whose time is over end."""
    left, asks = feeds.lock_remaining_budget(connection, account, now), list[Poll]()
    # nearly all surveys are of one account: an index that begins with it would be of no help
    ours = func.coalesce(surveys.c.account, "") == account
    due = select(surveys).where(surveys.c.poll_at <= now, ours)
    oldest = due.order_by(surveys.c.poll_at).limit(most).with_for_update(skip_locked=True)
    for row in connection.execute(oldest).all():
        if is_past_last_poll(row.sent_at, row.poll_at):
            _finish(connection, row.id, now)
        elif not _is_pollable(row):
            _set_poll_at(connection, row.id, expires_at(row.sent_at))
        elif len(asks) < left:
            asks.append(Poll(row.id, row.feedback_id, row.poll_at))
            _set_poll_at(connection, row.id, next_poll(row.sent_at, now))
    feeds.spend_budget(connection, account, len(asks))
    return asks


def release(connection: Connection, account: str, asks: list[Poll]) -> None:
    """Leave claimed surveys, about which X was not asked after all, to whoever comes next."""
    feeds.spend_budget(connection, account, -len(asks))
    for ask in asks:
        still = (surveys.c.id == ask.survey_id, surveys.c.poll_at.is_not(None))
        connection.execute(update(surveys).where(*still).values(poll_at=ask.due_at))


def _is_pollable(survey: Row[Any]) -> bool:
    is_forgotten = survey.recipient_handle is None and survey.recipient_id is None
    return survey.feedback_id is not None and not is_forgotten


def _set_poll_at(connection: Connection, survey_id: int, at: datetime | None) -> None:
    connection.execute(update(surveys).where(surveys.c.id == survey_id).values(poll_at=at))


def _finish(connection: Connection, survey_id: int, now: datetime) -> None:
    """Ask no more; a survey that nobody has answered has expired."""
    _set_poll_at(connection, survey_id, None)
    if transition(connection, _EXPIRED, survey_id):
        enqueue(connection, survey_id, NotificationKind.EXPIRED, now)

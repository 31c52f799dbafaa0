"""The surveys that X is polled about, at increasing intervals until they are answered or expire."""

from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select, update

from csat.db.account_scope import is_of
from csat.db.outbox import NotificationKind, enqueue
from csat.db.poll_budget_and_sweeps import lock_remaining_budget, spend_budget
from csat.db.survey_transitions import transition, transition_to
from csat.db.tables import surveys
from csat.surveys.customer_survey import ANSWER_WINDOW
from csat.surveys.poll_schedule import expires_at, is_past_last_poll, next_poll, retry_poll
from csat.surveys.states import State
from csat.surveys.transports import FACTS

_EXPIRED = transition_to(State.EXPIRED)
_UNPOLLED = tuple(name for name, facts in FACTS.items() if not facts.is_polled)
_ON_PAGE = tuple(name for name, facts in FACTS.items() if facts.asks_on_page)


class Poll(NamedTuple):
    """A claimed poll of a survey."""

    survey_id: int
    feedback_id: str
    sent_at: datetime
    due_at: datetime
    failures: int
    """How often it has failed since the last regular poll."""


def claim(connection: Connection, account: str, now: datetime, limit: int) -> list[Poll]:
    """Claim the polls that are due, within the budget; finish the surveys that are polled no more."""
    budget, polls = lock_remaining_budget(connection, account, now), list[Poll]()
    due = select(surveys).where(surveys.c.poll_at <= now, is_of(account))
    oldest = due.order_by(surveys.c.poll_at).limit(limit).with_for_update(skip_locked=True)
    for row in connection.execute(oldest).all():
        if is_past_last_poll(row.sent_at, row.poll_at) and not row.poll_failures:
            _finish(connection, row.id, now)
        elif not _is_pollable(row):
            _set_poll_at(connection, row.id, expires_at(row.sent_at))
        elif len(polls) < budget:
            polls.append(Poll(row.id, row.feedback_id, row.sent_at, row.poll_at, row.poll_failures))
            _set_poll_at(connection, row.id, next_poll(row.sent_at, now))
    spend_budget(connection, account, len(polls))
    return polls


def count_of_others(connection: Connection, account: str) -> Counter[str]:
    """Return how many unanswered surveys of each account that is not this one are polled about."""
    polled = (surveys.c.poll_at.is_not(None), surveys.c.transport.not_in(_UNPOLLED))
    unanswered = select(surveys.c.account).where(*polled, surveys.c.state == State.SENT, ~is_of(account))
    return Counter(connection.execute(unanswered).scalars())


def count_open_links(connection: Connection, now: datetime) -> int:
    """Return how many links may have reached customers who can still answer on the rating page."""
    links = select(func.count()).where(
        surveys.c.transport.in_(_ON_PAGE),
        surveys.c.state.in_((State.SENT, State.EXPIRED, State.UNCERTAIN)),
        surveys.c.accepted_at > now - ANSWER_WINDOW,
        surveys.c.recipient_id.is_not(None),
    )
    return connection.execute(links).scalar_one()


def expire_unpolled(connection: Connection, now: datetime, limit: int) -> None:
    """Let surveys expire whose answers come by themselves, and have not come in time."""
    overdue = select(surveys.c.id).where(surveys.c.poll_at <= now, surveys.c.transport.in_(_UNPOLLED))
    for survey_id in (
        connection.execute(overdue.limit(limit).with_for_update(skip_locked=True)).scalars().all()
    ):
        _finish(connection, survey_id, now)


def release(connection: Connection, account: str, polls: list[Poll]) -> None:
    """Give claimed polls back that were not made."""
    spend_budget(connection, account, -len(polls))
    for poll in polls:
        _repeat(connection, poll, poll.due_at, poll.failures)


def mark_failed(connection: Connection, poll: Poll, now: datetime) -> None:
    """Repeat a poll that failed, with a backoff of its own, until the next regular one is due."""
    failures = poll.failures + 1
    if retry_at := retry_poll(poll.sent_at, failures, now):
        _repeat(connection, poll, retry_at, failures)


def _repeat(connection: Connection, poll: Poll, due_at: datetime, failures: int) -> None:
    unfinished = (surveys.c.id == poll.survey_id, surveys.c.poll_at.is_not(None))
    connection.execute(update(surveys).where(*unfinished).values(poll_at=due_at, poll_failures=failures))


def _is_pollable(survey: Row[Any]) -> bool:
    is_erased = survey.recipient_handle is None and survey.recipient_id is None
    return survey.feedback_id is not None and not is_erased


def _set_poll_at(connection: Connection, survey_id: int, poll_at: datetime | None) -> None:
    values = {"poll_at": poll_at, "poll_failures": 0}
    connection.execute(update(surveys).where(surveys.c.id == survey_id).values(values))


def _finish(connection: Connection, survey_id: int, now: datetime) -> None:
    """Stop polling; an unanswered survey has expired."""
    _set_poll_at(connection, survey_id, None)
    if transition(connection, _EXPIRED, survey_id):
        enqueue(connection, survey_id, NotificationKind.EXPIRED, now)

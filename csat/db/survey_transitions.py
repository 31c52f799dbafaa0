"""Transitions of surveys between states, each guarded by the state that it starts from and by conditions.

`csat.surveys.states` decides which state can follow which.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, bindparam, or_, update
from sqlalchemy.sql.dml import ReturningUpdate

from csat.db.survey_records import SurveyRecord, to_record
from csat.db.tables import surveys
from csat.surveys.states import State, predecessors

REQUESTED = and_(surveys.c.team == bindparam("in_team"), surveys.c.requester == bindparam("by"))
"""A condition on surveys: a user (`by`) of a workspace (`in_team`) has requested them."""

UNCERTAIN = and_(
    surveys.c.state == State.UNCERTAIN,
    or_(surveys.c.recipient_id.is_not(None), surveys.c.recipient_handle.is_not(None)),
)
"""A condition on surveys: they are to be settled, as they are not erased."""

SETTLEABLE = and_(UNCERTAIN, REQUESTED)
"""A condition on surveys: their requester (see `REQUESTED`) can settle them."""


class AlreadySettled(Exception):
    """A survey is not uncertain any more, or another user requested it; nothing was changed."""


def has_state(*states: State) -> ColumnElement[bool]:
    """Return the condition on surveys that they have one of these states.

    Unlike that of `in_()`, its SQL is not built anew at each execution.
    """
    return or_(*(surveys.c.state == state for state in states))


def transition_to(state: State, *conditions: ColumnElement[bool]) -> Update:
    """Return the statement of a transition, to be built once per module."""
    can_follow = (surveys.c.id == bindparam("survey_id"), has_state(*predecessors(state)))
    return update(surveys).where(*can_follow, *conditions).values(state=state)


def transition(
    connection: Connection,
    statement: Update,
    survey_id: int,
    **values: object,
) -> bool:
    """Move a survey to the statement's state; return False if that state can't follow.

    `values` holds new values of columns and the parameters of the statement's conditions.
    """
    return connection.execute(statement, {"survey_id": survey_id, **values}).rowcount == 1


def transition_returning(
    connection: Connection,
    statement: ReturningUpdate[Any],
    survey_id: int,
    **values: object,
) -> SurveyRecord | None:
    """Move a survey as `transition` does, and return it if it was moved."""
    row = connection.execute(statement, {"survey_id": survey_id, **values}).first()
    return to_record(row) if row else None

"""Transitions of a survey between states; `surveys.states` says which state can follow which."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, update
from sqlalchemy.sql.dml import ReturningUpdate

from csat.db.survey_records import SurveyRecord, to_record
from csat.db.tables import surveys
from csat.surveys.states import State, predecessors

SETTLEABLE = and_(
    surveys.c.state == State.UNCERTAIN,
    surveys.c.recipient_id.is_not(None),
    surveys.c.requester == bindparam("by"),
)
"""An uncertain survey that its requester can settle: it still names its customer."""


def transition_to(state: State, *conditions: ColumnElement[bool]) -> ReturningUpdate[Any]:
    """Return the statement for transitions to a state, to be built once."""
    possible = (surveys.c.id == bindparam("survey_id"), surveys.c.state.in_(predecessors(state)))
    return update(surveys).where(*possible, *conditions).values(state=state).returning(surveys)


def transition(
    connection: Connection,
    statement: ReturningUpdate[Any],
    survey_id: int,
    **values: Any,  # noqa: ANN401
) -> SurveyRecord | None:
    """Move a survey to the statement's state; return `None` if that state can't follow.

    `values` holds new values of columns and the parameters of the statement's conditions.
    """
    row = connection.execute(statement, {"survey_id": survey_id, **values}).first()
    return to_record(row) if row else None

"""A survey's move from one state to another; `surveys.states` says which can follow which."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, bindparam, update

from csat.db.tables import surveys
from csat.surveys.states import State, predecessors

UNSETTLED = and_(
    surveys.c.state == State.UNCERTAIN,
    surveys.c.recipient_id.is_not(None),
    surveys.c.requester == bindparam("by"),
)
"""An uncertain survey that its requester can settle: it still names its customer."""


def transition_to(state: State, *conditions: ColumnElement[bool]) -> Update:
    """Return the statement for moves to a state from those that it can follow, to be built once."""
    possible = (surveys.c.id == bindparam("survey_id"), surveys.c.state.in_(predecessors(state)))
    return update(surveys).where(*possible, *conditions).values(state=state)


def transition(connection: Connection, statement: Update, survey_id: int, **values: Any) -> bool:  # noqa: ANN401
    """Move a survey, set columns, and fill in the statement's conditions; whether it was moved."""
    return connection.execute(statement, {"survey_id": survey_id, **values}).rowcount == 1

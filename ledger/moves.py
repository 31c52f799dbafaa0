"""A survey's move from one state to another; `surveys.states` says which can follow which."""

from typing import Any

from sqlalchemy import Connection, update

from ledger.tables import surveys
from surveys.states import State, leading_to


def move(connection: Connection, survey_id: int, state: State, *conditions: Any, **values: Any) -> bool:  # noqa: ANN401
    """Move a survey to a state that can follow the one it is in; whether it was moved."""
    possible = (surveys.c.id == survey_id, surveys.c.state.in_(leading_to(state)), *conditions)
    return connection.execute(update(surveys).where(*possible).values(state=state, **values)).rowcount == 1

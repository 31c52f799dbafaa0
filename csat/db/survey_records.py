"""Surveys as records: reading them, and moving them between states.

`csat.surveys.states` decides which state can follow which.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Update, and_, bindparam, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from csat.db.tables import surveys
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient
from csat.surveys.states import State, predecessors
from csat.surveys.survey import Origin, Survey

REQUESTED = and_(surveys.c.team == bindparam("in_team"), surveys.c.requester == bindparam("by"))
"""A condition on surveys: a user (`by`) of a workspace (`in_team`) has requested them."""

SETTLEABLE = and_(surveys.c.state == State.UNCERTAIN, surveys.c.recipient_id.is_not(None), REQUESTED)
"""A condition on surveys: their requester (see `REQUESTED`) can settle them, as they are not erased."""


AGAIN = "again:"
"""Begins the view id of a survey that replaces an uncertain one, whose id follows."""


class Refusal(FrozenModel):
    """Why a survey was not sent."""

    reason: str
    """The name of the error or of the limit."""
    advice: str
    """The sentence for the requester."""
    editable: bool
    """Whether the requester can change the form and try again."""
    retry_at: datetime | None = None
    """When a limit allows the survey, if that is known."""


class SurveyRecord(FrozenModel):
    """A stored survey with its origin and its state."""

    id: int
    account: str
    state: State
    survey: Survey
    origin: Origin
    accepted_at: datetime
    attempts: int
    refusal: Refusal | None
    feedback_id: str | None
    is_sent_again: bool = False
    """Whether it replaces an uncertain survey, which may have arrived."""


class AlreadySettled(Exception):
    """A survey is not uncertain any more, or another user requested it; nothing was changed."""


def get_survey(connection: Connection, survey_id: int) -> SurveyRecord | None:
    """Return a survey, or `None` if it does not exist."""
    row = connection.execute(select(surveys).where(surveys.c.id == survey_id)).first()
    return to_record(row) if row else None


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
    **values: Any,  # noqa: ANN401
) -> bool:
    """Move a survey to the statement's state; return False if that state can't follow.

    `values` holds new values of columns and the parameters of the statement's conditions.
    """
    return connection.execute(statement, {"survey_id": survey_id, **values}).rowcount == 1


def transition_returning(
    connection: Connection,
    statement: ReturningUpdate[Any],
    survey_id: int,
    **values: Any,  # noqa: ANN401
) -> SurveyRecord | None:
    """Move a survey as `transition` does, and return it if it was moved."""
    row = connection.execute(statement, {"survey_id": survey_id, **values}).first()
    return to_record(row) if row else None


def to_record(row: Row[Any]) -> SurveyRecord:
    """Return a row of the surveys table as a record; it was validated when it was written."""
    columns = row._mapping  # noqa: SLF001 - SQLAlchemy's public name
    is_refused = columns["state"] == State.REFUSED
    return SurveyRecord(
        **{
            name: columns[name]
            for name in ("id", "account", "state", "accepted_at", "attempts", "feedback_id")
        },
        survey=Survey.model_construct(
            **{name: columns[name] for name in Survey.model_fields if name not in ("recipient", "metric")},
            metric=Metric(columns["metric"]),
            recipient=Recipient(handle=columns["recipient_handle"], id=columns["recipient_id"]),
        ),
        origin=Origin(**{name: columns[name] for name in Origin.model_fields}),
        is_sent_again=columns["view_id"].startswith(AGAIN),
        refusal=Refusal(**{name: columns[name] for name in Refusal.model_fields}) if is_refused else None,
    )


def to_columns(survey: Survey, origin: Origin) -> dict[str, Any]:
    """Return a survey and its origin as columns of the surveys table."""
    return {
        **origin.model_dump(),
        **survey.model_dump(exclude={"recipient"}),
        "recipient_handle": survey.recipient.handle,
        "recipient_id": survey.recipient.id,
    }

"""One survey as the ledger holds it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from csat.db.tables import surveys
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.survey import Origin, Survey


class Refusal(FrozenModel):
    """Why a survey was not sent: its name for the figures, its sentence for the person who asked."""

    reason: str
    advice: str
    editable: bool
    """Whether changing the form and trying again makes sense."""
    retry_at: datetime | None = None
    """From when it is possible, where that is known."""


class SurveyRecord(FrozenModel):
    """A survey, where it came from, and where it stands."""

    id: int
    account: str
    state: State
    survey: Survey
    origin: Origin
    accepted_at: datetime
    attempts: int
    refusal: Refusal | None
    feedback_id: str | None


def get_survey(connection: Connection, survey_id: int) -> SurveyRecord | None:
    """Return an entry, or `None` where there is none."""
    row = connection.execute(select(surveys).where(surveys.c.id == survey_id)).first()
    return to_record(row) if row else None


def to_record(row: Row[Any]) -> SurveyRecord:
    """Return a row of the surveys table as an entry; it was checked when it was written."""
    columns = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    refused = columns["state"] == State.REFUSED
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
        refusal=Refusal(**{name: columns[name] for name in Refusal.model_fields}) if refused else None,
    )


def to_columns(survey: Survey, origin: Origin) -> dict[str, Any]:
    """Return a survey and its origin as columns of the surveys table."""
    return {
        **origin.model_dump(),
        **survey.model_dump(exclude={"recipient"}),
        "recipient_handle": survey.recipient.handle,
        "recipient_id": survey.recipient.id,
    }

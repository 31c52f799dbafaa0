"""Surveys as records, and as rows of their table."""

import re
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, Row, bindparam, func, select

from csat.db.tables import surveys
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.limits import Denial
from csat.surveys.origin import Origin
from csat.surveys.posted_survey_keys import make_key, parse_id_alone, parse_key
from csat.surveys.questions import Metric
from csat.surveys.recipients import XAccount, from_stored
from csat.surveys.states import State
from csat.surveys.survey import Survey
from csat.surveys.transports import TransportName

_RECIPIENT_KEY = select(surveys.c.recipient_key).where(surveys.c.id == bindparam("survey_id"))
_VIEW_ID = select(surveys.c.view_id).where(surveys.c.id == bindparam("survey_id"))

AGAIN = "again:"
"""Begins the view id of a survey that replaces an uncertain one, whose id follows."""
EDITED = "edited:"
"""Begins the view id of a survey that replaces a refused one, whose id and the form's view id follow."""
_PRECEDING = re.compile(f"(?:{AGAIN}|{EDITED})([0-9]+)")

_PLAIN_FIELDS = tuple(Survey.model_fields.keys() - {"transport", "metric", "recipient"})


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

    @classmethod
    def from_denial(cls, denial: Denial) -> Self:
        """Return the refusal of a survey that an opt-out or a limit denies."""
        return cls(
            reason=denial.reason,
            advice=denial.sentence(),
            editable=not denial.is_permanent,
            retry_at=denial.retry_at,
        )


SENT_AGAIN = Refusal(reason="SentAgain", advice="You sent this survey again.", editable=False)
"""The refusal of an uncertain survey that was replaced by another one: it may have arrived."""


class Wait(FrozenModel):
    """Why X did not take a survey yet."""

    reason: str
    """The name of the error."""
    until: datetime
    """When it is tried again."""


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
    uncertainty: str = ""
    """The sentence for the requester of an uncertain survey, if its attempt gave one."""
    was_delayed: bool = False
    """Whether an attempt had no final outcome, so that its requester may have been told."""
    wait: Wait | None = None
    """Set while it waits after an attempt."""
    replaced_id: int | None = None
    """The id of the uncertain survey that it replaces, which may have arrived."""
    is_disowned: bool = False
    """Whether the person who got it said that it was not meant for them."""

    @property
    def key(self) -> str:
        """The key of the survey in the messages that are posted about it."""
        return make_key(self.id, self.accepted_at)


def find_replaced(view_id: str) -> int | None:
    """Return the id of the survey that the one with this view id replaces, if it replaces one."""
    return int(view_id.removeprefix(AGAIN)) if view_id.startswith(AGAIN) else None


def list_replaced(connection: Connection, survey: SurveyRecord) -> list[int]:
    """Return the ids of the surveys that a survey replaces, each of them sent again, the latest first."""
    replaced, survey_id = list[int](), survey.replaced_id
    while survey_id is not None:
        replaced.append(survey_id)
        survey_id = find_replaced(get_view_id(connection, survey_id))
    return replaced


def edited_view_id(edited_id: int | None, view_id: str) -> str:
    """Return the view id of a survey from the form with `view_id`, in which another one may be edited."""
    return view_id if edited_id is None else f"{EDITED}{edited_id}:{view_id}"


def list_preceding(connection: Connection, view_id: str) -> list[int]:
    """Return the ids of the surveys before the one with this view id, each edited or sent again."""
    preceding = list[int]()
    while match := _PRECEDING.match(view_id):
        preceding.append(int(match[1]))
        view_id = get_view_id(connection, preceding[-1])
    return preceding


def get_view_id(connection: Connection, survey_id: int) -> str:
    """Return the view id of a survey, or "" if it does not exist."""
    return connection.execute(_VIEW_ID, {"survey_id": survey_id}).scalar() or ""


def get_survey(connection: Connection, survey_id: int) -> SurveyRecord | None:
    """Return a survey, or `None` if it does not exist."""
    row = connection.execute(select(surveys).where(surveys.c.id == survey_id)).first()
    return to_record(row) if row else None


def find_survey(connection: Connection, key: str) -> SurveyRecord | None:
    """Return the survey that a button or a form names, or `None` if it is not on file any more."""
    if survey_id := parse_id_alone(key):
        return get_survey(connection, survey_id)
    survey = get_survey(connection, parse_key(key)[0])
    return survey if survey and survey.key == key else None


def was_accepted_at(connection: Connection, survey_id: int, accepted_second: int) -> bool:
    """Return True if there is a survey with this id that was accepted then, in whole seconds since 1970."""
    accepted_at = select(surveys.c.accepted_at).where(surveys.c.id == survey_id)
    found = connection.execute(accepted_at).scalar_one_or_none()
    return found is not None and int(found.timestamp()) == accepted_second


def get_recipient_key(connection: Connection, survey_id: int) -> str | None:
    """Return the keyed hash of a survey's recipient, also of an erased one; `None` until X resolves them."""
    key: str | None = connection.execute(_RECIPIENT_KEY, {"survey_id": survey_id}).scalar()
    return key


def find_recipient(connection: Connection, account: str, handle: str) -> XAccount | None:
    """Return the recipient, with their id, of an account's last survey to a handle."""
    query = select(surveys.c.recipient_handle, surveys.c.recipient_id).where(
        surveys.c.account == account,
        func.lower(surveys.c.recipient_handle) == handle.lower(),
        surveys.c.recipient_id.is_not(None),
    )
    row = connection.execute(query.order_by(surveys.c.id.desc()).limit(1)).first()
    return XAccount(handle=row.recipient_handle, id=row.recipient_id) if row else None


def to_record(row: Row[Any]) -> SurveyRecord:
    """Return a row of the surveys table as a record; it was validated when it was written."""
    columns = row._mapping  # noqa: SLF001 - SQLAlchemy's public name
    is_refused = columns["state"] == State.REFUSED
    has_waited = columns["state"] == State.ACCEPTED and columns["reason"]
    return SurveyRecord(
        **{
            name: columns[name]
            for name in ("id", "account", "state", "accepted_at", "attempts", "feedback_id")
        },
        survey=Survey.model_construct(
            **{name: columns[name] for name in _PLAIN_FIELDS},
            transport=TransportName(columns["transport"]),
            metric=Metric(columns["metric"]),
            recipient=from_stored(columns["recipient_handle"], columns["recipient_id"]),
        ),
        origin=Origin(**{name: columns[name] for name in Origin.model_fields}),
        uncertainty=(columns["advice"] or "") if columns["state"] == State.UNCERTAIN else "",
        was_delayed=bool(columns["reason"]),
        wait=Wait(reason=columns["reason"], until=columns["due_at"]) if has_waited else None,
        replaced_id=find_replaced(columns["view_id"]),
        is_disowned=columns["disowned_at"] is not None,
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

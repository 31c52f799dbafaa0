"""Accept submitted surveys: insert each once, already claimed by the instance that sends it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from csat.db.denials import read_denial
from csat.db.limits import FOREVER, NEVER, lock_account
from csat.db.survey_records import (
    AGAIN,
    SENT_AGAIN,
    SurveyRecord,
    find_replaced,
    get_recipient_key,
    get_survey,
    to_columns,
    to_record,
)
from csat.db.survey_transitions import SETTLEABLE, AlreadySettled, transition, transition_to
from csat.db.tables import surveys
from csat.surveys.limits import Denied, Limits
from csat.surveys.origin import Origin
from csat.surveys.states import State
from csat.surveys.survey import Survey

CLAIM_LEASE = timedelta(seconds=12)
"""How long a survey is claimed by one instance until it begins to send it."""

# built once, as building a statement costs more than running it
_FIND_EXISTING = select(surveys).where(surveys.c.view_id == bindparam("view_id"))
_INSERT = {
    dialect.name: insert(surveys).on_conflict_do_nothing().returning(surveys.c.id)
    for dialect, insert in ((sqlite.dialect, sqlite.insert), (postgresql.dialect, postgresql.insert))
}
_REFUSED = transition_to(State.REFUSED, SETTLEABLE)


class OtherAccount(Exception):
    """The survey was accepted for an account that is none of this instance's; nothing was changed."""


class Submission(NamedTuple):
    """A submitted form."""

    view_id: str
    survey: Survey
    origin: Origin
    account: str
    instance: str
    recipient_key: str | None
    """`None` until X has resolved the recipient."""


def accept(connection: Connection, submission: Submission, limits: Limits, now: datetime) -> SurveyRecord:
    """Insert the survey, claimed by its instance; return the existing one on a duplicate submission.

    Raises:
        Denied: an opt-out or a limit denies the survey.
    """
    lock_account(connection, submission.account)
    account, key, survey = submission.account, submission.recipient_key, submission.survey
    recipient, transport = survey.recipient, survey.transport
    if denial := read_denial(connection, account, key, recipient, transport, limits, now, submission.view_id):
        if existing := _find_existing(connection, submission.view_id):
            return existing
        raise Denied(denial)
    survey_id = connection.execute(_INSERT[connection.dialect.name], _columns(submission, now)).scalar()
    if not survey_id:
        return to_record(connection.execute(_FIND_EXISTING, {"view_id": submission.view_id}).one())
    return SurveyRecord(
        id=survey_id,
        account=submission.account,
        state=State.ACCEPTED,
        survey=submission.survey,
        origin=submission.origin,
        accepted_at=now,
        attempts=0,
        refusal=None,
        feedback_id=None,
        replaced_id=find_replaced(submission.view_id),
    )


def _columns(submission: Submission, now: datetime) -> dict[str, Any]:
    return {
        **to_columns(submission.survey, submission.origin),
        "view_id": submission.view_id,
        "state": State.ACCEPTED,
        "account": submission.account,
        "recipient_key": submission.recipient_key,
        "quota_until": FOREVER,
        "accepted_at": now,
        "due_at": now,
        "lease_owner": submission.instance,
        "lease_until": now + CLAIM_LEASE,
        "attempts": 0,
    }


def send_again(
    connection: Connection,
    survey_id: int,
    team: str,
    requester: str,
    accounts: Collection[str],
    instance: str,
    limits: Limits,
    now: datetime,
) -> SurveyRecord:
    """Refuse an uncertain survey and accept it again; return the one accepted then when this is repeated.

    Raises:
        AlreadySettled: it was settled in another way.
        OtherAccount: it was accepted for none of these accounts.
        Denied: an opt-out or a limit denies the new survey, and nothing is changed.
    """
    view_id = f"{AGAIN}{survey_id}"
    survey = get_survey(connection, survey_id)
    values = SENT_AGAIN.model_dump() | {"quota_until": NEVER, "reconcile_at": None}
    requested = {"in_team": team, "by": requester}
    if survey is None or not transition(connection, _REFUSED, survey_id, **requested, **values):
        return _get_accepted(connection, view_id, team, requester)
    if survey.account not in accounts:
        raise OtherAccount
    key = get_recipient_key(connection, survey_id)
    submission = Submission(view_id, survey.survey, survey.origin, survey.account, instance, key)
    return accept(connection, submission, limits, now)


def _get_accepted(connection: Connection, view_id: str, team: str, requester: str) -> SurveyRecord:
    existing = _find_existing(connection, view_id)
    if existing is None or not existing.origin.is_from(team, requester):
        raise AlreadySettled
    return existing


def _find_existing(connection: Connection, view_id: str) -> SurveyRecord | None:
    row = connection.execute(_FIND_EXISTING, {"view_id": view_id}).first()
    return to_record(row) if row else None

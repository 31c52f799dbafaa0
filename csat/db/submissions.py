"""How a survey begins: a form that was submitted is kept, and with it the right to send."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from csat.db.limits import FOREVER, NEVER, check_limits, lock_account
from csat.db.survey_records import Refusal, SurveyRecord, get_survey, to_columns, to_record
from csat.db.tables import surveys
from csat.db.transitions import SETTLEABLE, transition, transition_to
from csat.surveys.limits import Limits
from csat.surveys.states import State
from csat.surveys.survey import Origin, Survey

CLAIM_LEASE = timedelta(seconds=12)
"""For how long one instance has a survey to itself before it begins to send it."""

SENT_AGAIN = Refusal(reason="SentAgain", advice="You sent this survey again.", editable=False)

# statements on the way of a submission are built once: that is most of what SQLAlchemy costs
_FIND_EXISTING = select(surveys).where(surveys.c.view_id == bindparam("view_id"))
_INSERT = insert(surveys).returning(surveys)
_REFUSED = transition_to(State.REFUSED, SETTLEABLE)


class Acceptance(NamedTuple):
    """What became of a submission."""

    survey: SurveyRecord
    is_new: bool
    """Whether this submission was the first of its form; another one has no effect."""


class Submission(NamedTuple):
    """A form that was submitted, with all that accepting it takes."""

    view_id: str
    survey: Survey
    origin: Origin
    account: str
    instance: str
    recipient_key: str | None
    """Empty while X was not asked yet who the recipient is."""


def accept(connection: Connection, submission: Submission, limits: Limits, now: datetime) -> Acceptance:
    """Keep a submitted survey, claimed by its instance; of a form that was accepted before, what it was.

    Raises `Denied` where a limit stands in the way.
    """
    lock_account(connection, submission.account)
    if row := connection.execute(_FIND_EXISTING, {"view_id": submission.view_id}).first():
        return Acceptance(to_record(row), is_new=False)
    recipient = submission.survey.recipient
    check_limits(connection, submission.account, submission.recipient_key, recipient, limits, now)
    row = connection.execute(_INSERT, _columns(submission, now)).one()
    return Acceptance(to_record(row), is_new=True)


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
    connection: Connection, survey_id: int, requester: str, instance: str, limits: Limits, now: datetime
) -> SurveyRecord | None:
    """Give an uncertain survey up and accept it anew, as its requester says; `None` where it is settled.

    Raises `Denied` where a limit stands in the way; then nothing changes.
    """
    entry = get_survey(connection, survey_id)
    values = SENT_AGAIN.model_dump() | {"quota_until": NEVER, "reconcile_at": None}
    if entry is None or not transition(connection, _REFUSED, survey_id, by=requester, **values):
        return None
    key = connection.execute(select(surveys.c.recipient_key).where(surveys.c.id == survey_id)).scalar_one()
    submission = Submission(f"again:{survey_id}", entry.survey, entry.origin, entry.account, instance, key)
    return accept(connection, submission, limits, now).survey

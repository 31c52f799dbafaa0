"""Ask about the surveys whose outcome a restored backup does not hold."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from csat.db.limits import PENDING
from csat.db.outbox import NotificationKind, enqueue
from csat.db.survey_transitions import has_state, transition, transition_to
from csat.db.tables import surveys
from csat.surveys.limits import DAY
from csat.surveys.states import State

_SENDING = transition_to(State.SENDING)
_UNCERTAIN = transition_to(State.UNCERTAIN)


def ask_about_unsettled(connection: Connection, now: datetime) -> int:
    """Leave the surveys that are not settled to their requesters, who are asked; return how many.

    They may have been sent since. X's events can't rule that out: the backup does not know when it was.
    """
    unsettled = (surveys.c.state == State.UNCERTAIN, surveys.c.reconcile_at.is_not(None))
    left = update(surveys).where(*unsettled).values(reconcile_at=None).returning(surveys.c.id)
    uncertain = connection.execute(left).scalars().all()
    pending = connection.execute(select(surveys.c.id).where(has_state(*PENDING))).scalars().all()
    for survey_id in pending:
        transition(connection, _SENDING, survey_id)
        values = {"sent_at": now, "quota_until": now + DAY, "lease_owner": None, "lease_until": None}
        transition(connection, _UNCERTAIN, survey_id, **values)
    for survey_id in (*uncertain, *pending):
        enqueue(connection, survey_id, NotificationKind.RESTORED, now)
    return len(uncertain) + len(pending)

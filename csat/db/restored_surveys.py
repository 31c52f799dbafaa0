"""What happens to the surveys of a backup whose outcome it does not hold."""

from datetime import datetime

from sqlalchemy import Connection, select

from csat.db.limits import PENDING
from csat.db.outbox import NotificationKind, enqueue
from csat.db.survey_transitions import has_state, transition, transition_to
from csat.db.tables import surveys
from csat.surveys.limits import DAY
from csat.surveys.states import State

_SENDING = transition_to(State.SENDING)
_UNCERTAIN = transition_to(State.UNCERTAIN)


def make_pending_uncertain(connection: Connection, now: datetime) -> int:
    """Make surveys uncertain that wait or are being sent, have their requesters asked; return how many.

    They may have been sent since. X's events can't settle that: the backup does not know when it was.
    """
    pending = connection.execute(select(surveys.c.id).where(has_state(*PENDING))).scalars().all()
    for survey_id in pending:
        transition(connection, _SENDING, survey_id)
        values = {"sent_at": now, "quota_until": now + DAY, "lease_owner": None, "lease_until": None}
        transition(connection, _UNCERTAIN, survey_id, **values)
        enqueue(connection, survey_id, NotificationKind.RESTORED, now)
    return len(pending)

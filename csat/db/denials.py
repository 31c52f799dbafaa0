"""Why a customer can't be asked: they have opted out, or a limit denies one more survey."""

from datetime import datetime

from sqlalchemy import Connection, or_, select

from csat.db import opt_outs
from csat.db.limits import (
    COUNTED,
    COUNTED_BY_HANDLE,
    QUOTA_ENDS,
    find_known_denial,
    find_quota_denial,
    quota_parameters,
)
from csat.surveys.limits import Denial, Limits
from csat.surveys.recipients import Recipient
from csat.surveys.transports import TransportName

# built once, as building a statement costs more than running it
_COULD_DENY = select(
    or_(
        opt_outs.FIND.exists(),
        opt_outs.FIND_BY_HANDLE.exists(),
        COUNTED.exists(),
        COUNTED_BY_HANDLE.exists(),
        QUOTA_ENDS.exists(),
    )
)


def read_denial(
    connection: Connection,
    account: str,
    key: str | None,
    recipient: Recipient,
    transport: TransportName,
    limits: Limits,
    now: datetime,
    view_id: str,
) -> Denial | None:
    """Return why a recipient can't be asked in one more survey, with this view id, if they can't.

    Without a key, because X has not resolved the recipient yet, what is on file is found by the handle. For
    most customers there is nothing, which takes one statement.
    """
    parameters = {
        **quota_parameters(account, transport, limits, now),
        "key": key,
        "handle": recipient.handle and recipient.handle.lower(),
        "since": now - limits.lookback,
        "other_than": 0,
    }
    if not connection.execute(_COULD_DENY, parameters).scalar():
        return None
    opt_out = (
        opt_outs.find_by_handle(connection, account, str(recipient.handle))
        if key is None
        else opt_outs.find(connection, key)
    )
    if opt_out:
        return Denial.from_opt_out(opt_out)
    known = find_known_denial(connection, account, key, recipient, limits, now, view_id)
    return known or find_quota_denial(connection, account, transport, limits, now)

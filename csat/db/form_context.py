"""What the database knows about a form when it opens."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from csat.db import opt_outs
from csat.db.account_pauses import PAUSE_CAUSE
from csat.db.limits import QUOTA_ENDS, find_known_denial, quota_denial, quota_parameters
from csat.db.survey_records import edited_view_id
from csat.db.surveys_by_requester import find_last_variants
from csat.surveys.limits import Denial, Limits
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient
from csat.surveys.transports import TransportName

# one statement, as a round trip to PostgreSQL costs more than to find both
_PAUSE_AND_QUOTA = select(PAUSE_CAUSE.scalar_subquery(), QUOTA_ENDS.scalar_subquery())


class FormContext(NamedTuple):
    """What a form shows beside what was typed."""

    last_variants: Mapping[Metric, str] = {}
    """The question that the person chose last, for each metric."""
    denial: Denial | None = None
    """Why the customer can't be asked."""
    is_paused: bool = False
    """Whether the account on X is paused."""


def read_form_context(
    connection: Connection,
    team: str,
    requester: str,
    x_account: str,
    account: str,
    recipient: Recipient | None,
    key: str | None,
    transport: TransportName,
    edited_id: int | None,
    limits: Limits,
    now: datetime,
) -> FormContext:
    """Return what is known about a form.

    Args:
        connection: of a transaction.
        team: the requester's workspace.
        requester: who uses the form.
        x_account: the account that sends surveys on X, or "".
        account: the one that sends surveys to the recipient, or "".
        recipient: `None` if no customer was typed.
        key: that of the recipient's id, if it was typed, or is known of their handle.
        transport: that of the form.
        edited_id: the id of the refused survey that is edited, if one is.
        limits: those to check.
        now: the current time.
    """
    quota = quota_parameters(account, transport, limits, now)
    pause_cause, quota_ends = connection.execute(_PAUSE_AND_QUOTA, {"x_account": x_account, **quota}).one()
    denial = None
    if recipient:
        view_id = edited_view_id(edited_id, "")
        denial = _find_denial(connection, account, key, recipient, limits, now, view_id)
        denial = denial or quota_denial(transport, quota_ends)
    return FormContext(find_last_variants(connection, team, requester), denial, bool(pause_cause))


def _find_denial(
    connection: Connection,
    account: str,
    key: str | None,
    recipient: Recipient,
    limits: Limits,
    now: datetime,
    view_id: str,
) -> Denial | None:
    opt_out = (
        opt_outs.find_by_handle(connection, account, str(recipient.handle))
        if key is None
        else opt_outs.find(connection, key)
    )
    if opt_out:
        return Denial.from_opt_out(opt_out)
    known_key = key if recipient.id else None
    return find_known_denial(connection, account, known_key, recipient, limits, now, view_id)

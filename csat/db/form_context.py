"""Read the database for a form that opens."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from csat.db.account_pauses import get_pause_cause
from csat.db.denials import read_denial
from csat.db.survey_records import edited_view_id
from csat.db.surveys_by_requester import find_last_variants
from csat.surveys.limits import Denial, Limits
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient
from csat.surveys.transports import TransportName


class FormContext(NamedTuple):
    """The facts that a form shows beside the text that was typed."""

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
    """Return the facts that a form shows.

    Args:
        connection: for the queries.
        team: the requester's workspace.
        requester: the user of the form.
        x_account: the account that sends surveys on X, or "".
        account: the one that sends surveys to the recipient, or "".
        recipient: `None` if no customer was typed.
        key: that of the recipient's id, if it was typed, or is known of their handle.
        transport: that of the form.
        edited_id: the id of the refused survey that is edited, if one is.
        limits: those to check.
        now: the current time.
    """
    denial = None
    if recipient:
        view_id = edited_view_id(edited_id, "")
        denial = read_denial(connection, account, key, recipient, transport, limits, now, view_id)
    is_paused = bool(x_account and get_pause_cause(connection, x_account))
    return FormContext(find_last_variants(connection, team, requester), denial, is_paused)

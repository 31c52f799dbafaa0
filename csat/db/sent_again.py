"""Uncertain surveys that their requesters sent again: the first one, or any other, may have arrived."""

from typing import Any

from sqlalchemy import Connection, Row, Select, select

from csat.db.survey_records import AGAIN, SENT_AGAIN, get_view_id, list_preceding
from csat.db.tables import surveys
from csat.surveys.states import State


def find_answerable(connection: Connection, query: Select[Any], survey_id: int) -> Row[Any] | None:
    """Return a survey, or the last one in its place that may have arrived; `None` if it did not arrive."""
    row = connection.execute(query.where(surveys.c.id == survey_id)).first()
    while row and _was_sent_again(row):
        again = _find_repetition(connection, query, row)
        if again is None or _did_not_arrive(again):
            break
        row = again
    return None if row is None or _did_not_arrive(row) else row


def was_sent_again_in_vain(connection: Connection, row: Row[Any]) -> bool:
    """Return True if a survey was sent again, and the last one in its place did not arrive."""
    last: Row[Any] | None = row
    while last and _was_sent_again(last):
        last = _find_repetition(connection, select(surveys), last)
    return last is not None and last.id != row.id and _did_not_arrive(last)


def earlier_may_have_arrived(connection: Connection, survey_id: int) -> bool:
    """Return True if a survey was edited or sent again after one to its customer that may have arrived.

    So it is too if that is known to have arrived by now.
    """
    preceding = list_preceding(connection, get_view_id(connection, survey_id))
    ids = [survey_id, *preceding]
    rows = {row.id: row for row in connection.execute(select(surveys).where(surveys.c.id.in_(ids)))}
    return any(
        not _did_not_arrive(row) and _is_same_customer(row, rows[survey_id])
        for row in map(rows.get, preceding)
        if row
    )


def _find_repetition(connection: Connection, query: Select[Any], row: Row[Any]) -> Row[Any] | None:
    return connection.execute(query.where(surveys.c.view_id == f"{AGAIN}{row.id}")).first()


def _was_sent_again(row: Row[Any]) -> bool:
    return (row.state, row.reason) == (State.REFUSED, SENT_AGAIN.reason)


def _is_same_customer(one: Row[Any], other: Row[Any]) -> bool:
    if one.recipient_key and other.recipient_key:
        return bool(one.recipient_key == other.recipient_key)
    handles = [row.recipient_handle and row.recipient_handle.lower() for row in (one, other)]
    return bool(handles[0]) and handles[0] == handles[1]


def _did_not_arrive(row: Row[Any]) -> bool:
    return row.state in (State.REFUSED, State.CANCELLED) and not _was_sent_again(row)

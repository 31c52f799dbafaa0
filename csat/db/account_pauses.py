"""The pauses of the accounts on X that send surveys, during which X accepts none from them."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, or_, select, update

from csat.db.idempotent_inserts import insert_if_absent
from csat.db.survey_records import SurveyRecord
from csat.db.tables import accounts, attempts, posted_alerts, surveys
from csat.surveys.limits import DAY
from csat.surveys.states import State

PROBE_INTERVAL = timedelta(minutes=5)
"""How often a paused account is probed."""

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""A time that has passed on every clock."""

ALERT_INTERVAL = timedelta(hours=24)
"""How long until the operators are alerted to the same outage again."""

MIN_ALERT_INTERVAL = timedelta(hours=1)
"""How long until the operators are alerted to the same cause again, if X accepted the account in between."""

REPEAT_WINDOW = timedelta(hours=1)
"""How long a refusal counts as the first of two in a row."""

NOT_PAUSED: ColumnElement[bool] = ~(
    select(accounts.c.id)
    .where(accounts.c.id == surveys.c.account, accounts.c.paused_at.is_not(None))
    .exists()
)
"""A condition on surveys: their account is not paused."""

# built once, as building a statement costs more than running it
_PAUSE_CAUSE = select(accounts.c.cause).where(
    accounts.c.id == bindparam("account"), accounts.c.paused_at.is_not(None)
)


class Recovery(NamedTuple):
    """The end of an outage."""

    since: datetime
    is_certain: bool
    """Whether X accepts surveys again; else they are tried, and a refusal alerts the operators at once."""


def ensure_account(connection: Connection, account: str) -> None:
    """Insert the row of an account, which is locked to count its surveys, unless it exists."""
    insert_if_absent(connection, accounts, id=account)


def pause(
    connection: Connection,
    account: str,
    cause: str,
    advice: str,
    now: datetime,
    *,
    concerns_all_requests: bool,
) -> bool:
    """Pause an account, and enqueue an alert for each outage; return False if a pause goes on.

    An outage is over once X accepts a survey; and if it concerned all requests, already once X accepts a
    probe. Without that, the same cause is the same outage for a day.
    """
    row = connection.execute(select(accounts).where(accounts.c.id == account).with_for_update()).one()
    is_new = row.paused_at is None
    is_alert_due = row.cause == cause and row.alert_due_at is not None and row.alert_due_at <= now
    if is_alert_due and not concerns_all_requests:
        alert_due_at, is_new = row.alert_due_at, False
    elif row.cause != cause or row.alerted_at is None or row.alerted_at < now - ALERT_INTERVAL:
        alert_due_at = now
    elif is_new and (concerns_all_requests or _was_survey_sent(connection, account, row.alerted_at, now)):
        alert_due_at = max(now, row.alerted_at + MIN_ALERT_INTERVAL)
    else:
        alert_due_at, is_new = row.alert_due_at, False
    values = {
        "paused_at": row.paused_at or now,
        "resumed_at": None,
        "probe_at": row.probe_at or now + PROBE_INTERVAL,
        "cause": cause,
        "advice": advice,
        "alert_due_at": alert_due_at,
    }
    connection.execute(update(accounts).where(accounts.c.id == account).values(values))
    return is_new


def claim_probe(connection: Connection, account: str, now: datetime) -> bool:
    """Claim the probe of an account for `PROBE_INTERVAL`; return False if it is not paused or not due."""
    due = (accounts.c.id == account, accounts.c.paused_at.is_not(None), accounts.c.probe_at <= now)
    return (
        connection.execute(update(accounts).where(*due).values(probe_at=now + PROBE_INTERVAL)).rowcount == 1
    )


def hasten_probe(connection: Connection, account: str) -> bool:
    """Let the next probe of a paused account be due, and `pause` alert the operators again.

    Return False if it is not paused.
    """
    paused = (accounts.c.id == account, accounts.c.paused_at.is_not(None))
    values = {"probe_at": AT_ONCE, "alerted_at": None}
    return connection.execute(update(accounts).where(*paused).values(values)).rowcount == 1


def resume(connection: Connection, account: str, now: datetime) -> None:
    """End the pause of an account; its cause is kept, so that `pause` can limit the alerts."""
    paused = (accounts.c.id == account, accounts.c.paused_at.is_not(None))
    values = {"paused_at": None, "probe_at": None, "resumed_at": now}
    connection.execute(update(accounts).where(*paused).values(values))


def resume_manually(connection: Connection, account: str, operator: str, ts: str, now: datetime) -> None:
    """End the pause of an account, so that `pause` alerts the operators again, to the same cause too.

    The alert in which the operator has resumed it is not updated any more: it says who did.
    """
    resume(connection, account, now)
    connection.execute(update(accounts).where(accounts.c.id == account).values(alerted_at=None))
    connection.execute(delete(posted_alerts).filter_by(account=account, operator=operator, ts=ts))


def find_recovery(
    connection: Connection, account: str, partial_causes: Collection[str], now: datetime
) -> Recovery | None:
    """Return the end of an account's last outage; `None` if it is paused, or that outage may go on.

    Of partial causes it goes on until X accepts a survey, or until `pause` would alert the operators at once.
    """
    row = connection.execute(select(accounts).where(accounts.c.id == account)).one()
    if row.paused_at or row.resumed_at is None:
        return None
    is_certain = row.cause not in partial_causes or _was_survey_sent(connection, account, row.resumed_at, now)
    if is_certain or row.alerted_at is None or row.alerted_at < now - ALERT_INTERVAL:
        return Recovery(row.resumed_at, is_certain)
    return None


def get_pause_cause(connection: Connection, account: str) -> str:
    """Return the cause while an account is paused, else ""."""
    return connection.execute(_PAUSE_CAUSE, {"account": account}).scalar() or ""


def is_repeated(
    connection: Connection, survey: SurveyRecord, reasons: Collection[str], now: datetime
) -> bool:
    """Return True if X refuses the account for one of these reasons, whoever the customer is.

    A survey to another customer was refused for one of them lately, or waits as this one does, and none was
    sent by the same transport since.
    """
    same = (surveys.c.account == survey.account, surveys.c.transport == survey.survey.transport)
    own_key = select(surveys.c.recipient_key).where(surveys.c.id == survey.id).scalar_subquery()
    refused_at = connection.execute(
        select(func.max(surveys.c.due_at)).where(
            *same,
            surveys.c.state.in_((State.REFUSED, State.ACCEPTED, State.SENDING)),
            surveys.c.due_at > now - REPEAT_WINDOW,
            surveys.c.reason.in_(reasons),
            or_(surveys.c.recipient_key != own_key, surveys.c.id == survey.id),
        )
    ).scalar()
    if refused_at is None:
        return False
    is_sent = surveys.c.state.in_((State.SENT, State.ANSWERED, State.EXPIRED))
    sent = select(surveys.c.id).where(*same, is_sent, surveys.c.quota_until > refused_at + DAY).limit(1)
    return connection.execute(sent).first() is None


def _was_survey_sent(connection: Connection, account: str, since: datetime, now: datetime) -> bool:
    """Return True if X took a survey in an attempt that started after `since`, within a day of `now`."""
    sent = (
        select(surveys.c.id)
        .join(attempts, attempts.c.survey_id == surveys.c.id)
        .where(surveys.c.account == account, surveys.c.quota_until > now)
        .where(attempts.c.outcome == State.SENT, attempts.c.started_at > since)
        .limit(1)
    )
    return connection.execute(sent).first() is not None

"""The secrets of the tokens in the links to the rating page.

Each is for the surveys that are accepted from a moment on, until the next one's. So a survey has the same
link however often it is sent or looked for, and a replaced secret that others know makes no link to a later
survey.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select

from csat.db import audit_log
from csat.db.audit_log import OPERATOR, AuditAction
from csat.db.idempotent_inserts import insert_if_absent
from csat.db.kept_secrets import make_secret
from csat.db.tables import rating_link_secrets
from csat.surveys.customer_survey import ANSWER_WINDOW
from csat.surveys.rating_link_secret import RatingLinkSecret

LEAD = timedelta(minutes=1)
"""How long after a rotation a new secret holds at the earliest; before, an instance may not know it yet."""

LIFETIME = ANSWER_WINDOW + timedelta(days=2)
"""How long a replaced secret is kept: a survey can be accepted a day before it is sent."""

_BEGINNING = datetime.fromtimestamp(0, UTC)


def load_rating_link_secrets(connection: Connection) -> Sequence[RatingLinkSecret]:
    """Return the secrets, the newest first; none before an instance with the page has been started."""
    columns = (rating_link_secrets.c.value, rating_link_secrets.c.since)
    rows = connection.execute(select(*columns).order_by(rating_link_secrets.c.since.desc()))
    return [RatingLinkSecret(*row) for row in rows]


def ensure_rating_link_secret(connection: Connection) -> None:
    """Make a secret, unless there is one."""
    if not load_rating_link_secrets(connection):
        insert_if_absent(connection, rating_link_secrets, value=make_secret(), since=_BEGINNING)


def rotate_rating_link_secret(connection: Connection, now: datetime) -> RatingLinkSecret | None:
    """Make a secret of the surveys accepted from a minute to come on, unless there is one, and return it.

    Returns `None` if there is none to replace.
    """
    secrets = load_rating_link_secrets(connection)
    if not secrets:
        return None
    if secrets[0].since > now:
        return secrets[0]
    secret = RatingLinkSecret(make_secret(), (now + 2 * LEAD).replace(second=0, microsecond=0))
    connection.execute(insert(rating_link_secrets).values(secret._asdict()))
    audit_log.record(connection, "", OPERATOR, AuditAction.ROTATE_LINKS, "", now)
    return secret


def delete_expired_rating_link_secrets(connection: Connection, now: datetime) -> None:
    """Delete the secrets of which no link can be answered any more."""
    replaced = rating_link_secrets.alias()
    expiring = select(func.max(replaced.c.since)).where(replaced.c.since <= now - LIFETIME)
    connection.execute(
        delete(rating_link_secrets).where(rating_link_secrets.c.since < expiring.scalar_subquery())
    )

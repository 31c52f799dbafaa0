"""The keyed hashes by which the database knows recipients, even after they were erased, and their secret."""

import hashlib
import hmac

from sqlalchemy import Connection, inspect, select

from csat.db import kept_secrets, tables
from csat.db.errors import Rejected

RECIPIENT_KEYS = "recipient keys"
FINGERPRINT = "fingerprint of the secret of recipient keys"


class SecretNeeded(Rejected):
    """The settings have not the secret of the database's keyed hashes, nor has the database."""


def make_recipient_key(secret: str, recipient_id: str) -> str:
    """Return a keyed hash that identifies a recipient."""
    return hmac.new(secret.encode(), recipient_id.encode(), hashlib.sha256).hexdigest()[:32]


def lacks_secret(connection: Connection) -> bool:
    """Return True if a database of any revision has keys, but not the secret that they were made with."""
    tables_there = inspect(connection).get_table_names()
    if tables.surveys.name not in tables_there or not _has_keys(connection):
        return False
    return tables.secrets.name not in tables_there or kept_secrets.find(connection, RECIPIENT_KEYS) is None


def _has_keys(connection: Connection) -> bool:
    keys = select(tables.surveys.c.id).where(tables.surveys.c.recipient_key.is_not(None))
    return connection.execute(keys.limit(1)).first() is not None


def has_other_secret(connection: Connection, x_api_secret: str | None, own: str | None) -> bool:
    """Return True if customers of a database of any revision have opted out by another secret than this one.

    Takes the arguments of `load_secret`.
    """
    if not {tables.secrets.name, tables.opt_outs.name} <= set(inspect(connection).get_table_names()):
        return False
    secret = own or kept_secrets.find(connection, RECIPIENT_KEYS) or x_api_secret or ""
    return _is_replaced_by(connection, secret) and _has_opt_outs(connection)


def load_secret(
    connection: Connection, x_api_secret: str | None, own: str | None = None, *, may_replace: bool = False
) -> str:
    """Return the operator's `own` secret, or else the database's, made at random at the first start.

    A database that has keys already, from before it had a secret, keeps the one that they were made with:
    `x_api_secret`. Raises `SecretNeeded` without it, and with another secret than the app was started with;
    `may_replace` allows another one as long as nobody has opted out.
    """

    def make() -> str:
        if not _has_keys(connection):
            return kept_secrets.make_secret()
        if x_api_secret is None:
            raise SecretNeeded(
                "the database knows customers by an X_API_SECRET that is missing: set CSAT_SECRET_KEY to that"
            )
        return x_api_secret

    secret = own or kept_secrets.load(connection, RECIPIENT_KEYS, make)
    if _is_replaced_by(connection, secret) and (_has_opt_outs(connection) or not may_replace):
        raise SecretNeeded(
            "the database knows customers by another secret: set CSAT_SECRET_KEY to the one that the app had "
            "before, or remove it if there was none"
        )
    if kept_secrets.find(connection, FINGERPRINT) != (fingerprint := _fingerprint(secret)):
        kept_secrets.replace(connection, FINGERPRINT, fingerprint)
    return secret


def _is_replaced_by(connection: Connection, secret: str) -> bool:
    return kept_secrets.find(connection, FINGERPRINT) not in (None, _fingerprint(secret))


def _fingerprint(secret: str) -> str:
    return make_recipient_key(secret, FINGERPRINT)


def _has_opt_outs(connection: Connection) -> bool:
    in_force = select(tables.opt_outs.c.id).where(tables.opt_outs.c.lifted_at.is_(None))
    return connection.execute(in_force.limit(1)).first() is not None

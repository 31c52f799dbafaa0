"""The keyed hashes by which the database knows recipients, even after they were erased, and their secret."""

import hashlib
import hmac

from sqlalchemy import Connection, inspect, select

from csat.db import kept_secrets, tables
from csat.db.errors import Rejected

RECIPIENT_KEYS = "recipient keys"


class SecretNeeded(Rejected):
    """The secret of the database's keyed hashes is not in it, nor in the settings."""


def make_recipient_key(secret: str, recipient_id: str) -> str:
    """Return a keyed hash that identifies a recipient."""
    return hmac.digest(secret.encode(), recipient_id.encode(), hashlib.sha256).hex()[:32]


def lacks_secret(connection: Connection) -> bool:
    """Return True if a database of any revision has keys, but not the secret that they were made with."""
    tables_there = inspect(connection).get_table_names()
    if tables.surveys.name not in tables_there or not _has_keys(connection):
        return False
    return tables.secrets.name not in tables_there or kept_secrets.find(connection, RECIPIENT_KEYS) is None


def _has_keys(connection: Connection) -> bool:
    keys = select(tables.surveys.c.id).where(tables.surveys.c.recipient_key.is_not(None))
    return connection.execute(keys.limit(1)).first() is not None


def load_secret(connection: Connection, x_api_secret: str | None) -> str:
    """Return the database's secret, which is random and made at the first start.

    A database that has keys already, from before it had a secret, keeps the one that they were made with:
    `x_api_secret`. Raises `SecretNeeded` without it.
    """

    def make() -> str:
        if not _has_keys(connection):
            return kept_secrets.make_secret()
        if x_api_secret is None:
            raise SecretNeeded(
                "the database knows customers by an X_API_SECRET that is missing: set CSAT_SECRET_KEY to that"
            )
        return x_api_secret

    return kept_secrets.load(connection, RECIPIENT_KEYS, make)

"""The keyed hashes by which the database knows recipients, even after they were erased, and their secret."""

import hashlib
import hmac

from sqlalchemy import Connection, select

from csat.db import kept_secrets, tables

RECIPIENT_KEYS = "recipient keys"


def make_recipient_key(secret: str, recipient_id: str) -> str:
    """Return a keyed hash that identifies a recipient."""
    return hmac.digest(secret.encode(), recipient_id.encode(), hashlib.sha256).hex()[:32]


def load_secret(connection: Connection, x_api_secret: str) -> str:
    """Return the database's secret, which is random and made at the first start.

    A database that has keys already, from before it had a secret, keeps the one that they were made with:
    `x_api_secret`.
    """

    def make() -> str:
        keys = select(tables.surveys.c.id).where(tables.surveys.c.recipient_key.is_not(None))
        has_keys = connection.execute(keys.limit(1)).first() is not None
        return x_api_secret if has_keys else kept_secrets.make_secret()

    return kept_secrets.load(connection, RECIPIENT_KEYS, make)

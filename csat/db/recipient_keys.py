"""The keyed hashes by which the database knows recipients, even after they were erased, and their secret."""

import hashlib
import hmac
import secrets

from sqlalchemy import Connection, select

from csat.db import tables
from csat.db.idempotent_inserts import insert_if_absent

RECIPIENT_KEYS = "recipient keys"


def make_recipient_key(secret: str, recipient_id: str) -> str:
    """Return a keyed hash that identifies a recipient."""
    return hmac.digest(secret.encode(), recipient_id.encode(), hashlib.sha256).hex()[:32]


def load_secret(connection: Connection, x_api_secret: str) -> str:
    """Return the database's secret, which is random and made at the first start.

    A database that has keys already, from before it had a secret, keeps the one that they were made with:
    `x_api_secret`.
    """
    query = select(tables.secrets.c.value).where(tables.secrets.c.name == RECIPIENT_KEYS)
    if connection.execute(query).first() is None:
        keys = select(tables.surveys.c.id).where(tables.surveys.c.recipient_key.is_not(None))
        has_keys = connection.execute(keys.limit(1)).first() is not None
        value = x_api_secret if has_keys else secrets.token_urlsafe(32)
        insert_if_absent(connection, tables.secrets, name=RECIPIENT_KEYS, value=value)
    stored: str = connection.execute(query).scalar_one()  # another instance may have been first
    return stored

"""Secrets that are random, made at the first start, and kept in the database."""

import secrets
from collections.abc import Callable

from sqlalchemy import Connection, select

from csat.db import tables
from csat.db.idempotent_inserts import insert_if_absent


def make_secret() -> str:
    """Return a new random secret."""
    return secrets.token_urlsafe(32)


def load(connection: Connection, name: str, make: Callable[[], str] = make_secret) -> str:
    """Return the secret with a name; if there is none yet, it is made."""
    if find(connection, name) is None:
        insert_if_absent(connection, tables.secrets, name=name, value=make())
    return find(connection, name) or ""  # another instance may have been first


def find(connection: Connection, name: str) -> str | None:
    """Return the secret with a name, if there is one."""
    stored: str | None = connection.execute(
        select(tables.secrets.c.value).where(tables.secrets.c.name == name)
    ).scalar_one_or_none()
    return stored

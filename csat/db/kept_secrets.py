"""Secrets that are random, made at the first start, and kept in the database; and fingerprints of others."""

import secrets
from collections.abc import Callable

from sqlalchemy import Connection, select, update

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


def replace(connection: Connection, name: str, value: str) -> None:
    """Keep a value instead of the one with the same name, if there is one."""
    if not insert_if_absent(connection, tables.secrets, name=name, value=value):
        connection.execute(update(tables.secrets).where(tables.secrets.c.name == name).values(value=value))

"""The accounts on X that surveys come from."""

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from ledger.tables import accounts


def open_account(connection: Connection, account: str) -> None:
    """Make sure that an account has its row: its surveys are counted under that row's lock."""
    insert_into = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    connection.execute(insert_into(accounts).values(id=account).on_conflict_do_nothing())

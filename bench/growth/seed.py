"""Fills a ledger with years of surveys, quickly: the database makes the rows itself."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy
import typer
from sqlalchemy import Connection, Engine, text

from csat.db.database import open_engine
from csat.db.tables import accounts, metadata

ACCOUNTS = 25
SURVEYS_EACH = 4
"""How often a customer was asked."""
SECONDS_APART = 7
WORKSPACE = 1_000_000
"""The newest surveys are one workspace's: a report of 90 days counts all of them."""
AT_ONCE = 500_000
MESSAGE = "Thank you for talking with us. How did we do? Your answer helps us to serve you better."

FASTER = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=FILE")
"""SQLite, while nothing in it is worth keeping."""

MOMENTS = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', :now, ({}) || ' seconds')",
    "postgresql": "cast(:now as timestamptz) + ({}) * interval '1 second'",
}
NUMBERS = """WITH RECURSIVE numbers(n) AS (
    SELECT cast(:first as bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)"""
SHUFFLED = "(({}) * 2654435761 % 4294967296)"
"""Numbers in an order like chance, none of them twice: rows lie as scattered as Slack's and X's ids."""

SURVEYS = """INSERT INTO surveys (
    id, view_id, state, team, enterprise, channel, thread, in_thread, requester, response_url, received_at,
    account, metric, variant, display_name, recipient_handle, recipient_id, recipient_key, message,
    privacy_url, external_id, test, accepted_at, due_at, attempts, feedback_id, sent_at, quota_until,
    rating, rated_at, comment, commented_at)
{numbers}
SELECT n, 'V' || {view}, CASE WHEN n % 10 < 3 THEN 'answered' WHEN n % 10 < 6 THEN 'sent'
    ELSE 'expired' END, {team}, '', 'C012AB3C' || ({view} % 5), '1700000000.000100', {true},
    'U012AB3' || ({view} / 5 % 50), '', {then}, 'A' || (n % {accounts}), 'csat', {view} / 250 % 3,
    'Northwind', 'customer' || (n % :customers),
    '18200' || {customer}, 'customer of the name of ' || {customer}, :message,
    'https://northwind.example/privacy', 'ticket_' || n, {false}, {then}, {then}, 1,
    '17000' || {view}, {then}, {day_after}, CASE WHEN n % 10 < 3 THEN 5 - {view} / 750 % 16 / 4 END,
    CASE WHEN n % 10 < 3 THEN {day_after} END, CASE WHEN n % 10 = 0 THEN 'Thank you, that was quick.' END,
    CASE WHEN n % 10 = 0 THEN {day_after} END FROM numbers"""
FOLLOW_UPS = """INSERT INTO follow_ups (survey_id, team, opened_at, taken_by, taken_at)
SELECT id, team, rated_at, 'U012AB3CD', rated_at FROM surveys
WHERE rating <= 2 AND id BETWEEN :first AND :last"""
ATTEMPTS = """INSERT INTO attempts (survey_id, number, instance, started_at, ended_at, outcome, detail)
{numbers} SELECT n, 1, 'a1b2c3d4', {then}, {then}, 'sent', '' FROM numbers"""
OUTBOX = """INSERT INTO outbox (survey_id, kind, attempts, sent_at, channel, ts)
{numbers} SELECT n, 'sent', 0, {then}, 'C012AB3CD', '1700000000.000100' FROM numbers"""


def customer(number: int, rows: int) -> tuple[str, str]:
    """Return account and key of somebody whom a ledger of so many surveys knows."""
    shuffled = number % (rows // SURVEYS_EACH) * 2654435761 % 4294967296
    return f"A{number % ACCOUNTS}", f"customer of the name of {shuffled}"


def fill(url: str, rows: int, now: datetime) -> int:
    """Fill a new database; returns how large it is, in bytes."""
    open_engine(url).dispose()
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        for pragma in FASTER if is_sqlite else ():
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        for index in _indexes():
            index.drop(connection)
        connection.execute(accounts.insert(), [{"id": f"A{number}"} for number in range(ACCOUNTS)])
        with typer.progressbar(length=rows, label=f"Filling {rows:,}") as bar:
            for first in range(1, rows + 1, AT_ONCE):
                last = min(first + AT_ONCE - 1, rows)
                _insert(connection, first, last, rows, now)
                bar.update(last - first + 1)
        for index in _indexes():
            index.create(connection)
        if not is_sqlite:
            connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('surveys', 'id'), {rows})")
            connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("PRAGMA journal_mode=WAL" if is_sqlite else "CHECKPOINT")
    return _size(engine)


def _indexes() -> Iterable[sqlalchemy.Index]:
    return [index for table in metadata.sorted_tables for index in sorted(table.indexes, key=str)]


def _insert(connection: Connection, first: int, last: int, rows: int, now: datetime) -> None:
    dialect = connection.dialect.name
    is_sqlite = dialect == "sqlite"
    then = f"(n - {rows}) * {SECONDS_APART}"
    values = {
        "first": first,
        "last": last,
        "now": f"{now:%Y-%m-%d %H:%M:%S}" if is_sqlite else now,
        "customers": rows // SURVEYS_EACH,
        "message": MESSAGE,
    }
    for statement in (SURVEYS, FOLLOW_UPS, ATTEMPTS, OUTBOX):
        written = statement.format(
            numbers=NUMBERS,
            view=SHUFFLED.format("n"),
            customer=SHUFFLED.format("n % :customers"),
            then=MOMENTS[dialect].format(then),
            day_after=MOMENTS[dialect].format(f"{then} + 86400"),
            accounts=ACCOUNTS,
            team=f"CASE WHEN n > {rows - WORKSPACE} THEN 'T1' ELSE 'T2' END",
            true=1 if is_sqlite else "true",
            false=0 if is_sqlite else "false",
        )
        used = {name: value for name, value in values.items() if f":{name}" in written}
        connection.execute(text(written), used)


def _size(engine: Engine) -> int:
    is_sqlite = engine.dialect.name == "sqlite"
    query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    with engine.connect() as connection:
        size: int = connection.exec_driver_sql(
            query if is_sqlite else "SELECT pg_database_size(current_database())"
        ).scalar_one()
    engine.dispose()
    return size

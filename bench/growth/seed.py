"""Fill a database with years of surveys quickly: its own SQL generates the rows."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy
import typer
from sqlalchemy import Connection, Engine, text

from bench.made_up_values import MESSAGE
from csat.db.engines import open_engine
from csat.db.tables import accounts, metadata
from csat.timeouts import Timeouts

ACCOUNTS = 25
SURVEYS_PER_RECIPIENT = 4
SURVEY_INTERVAL_SECONDS = 7
WORKSPACE_SURVEYS = 1_000_000
"""The newest surveys belong to one workspace: a report of 90 days counts all of them."""
BATCH_SIZE = 500_000

FAST_PRAGMAS = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=FILE")
"""Settings of SQLite for filling: fast, not durable."""

TIMESTAMPS = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', :now, ({}) || ' seconds')",
    "postgresql": "cast(:now as timestamptz) + ({}) * interval '1 second'",
}
"""SQL for a time a number of seconds after `:now`."""
NUMBERS = """WITH RECURSIVE numbers(n) AS (
    SELECT cast(:first as bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)"""
SHUFFLED = "(({}) * 2654435761 % 4294967296)"
"""SQL for a permutation of the integers: rows are as scattered as with real ids of Slack and X."""
KEY_PREFIX = "recipient_key_with_number_"

SURVEYS = """INSERT INTO surveys (
    id, view_id, state, team, enterprise, channel, thread, in_thread, requester, response_url, received_at,
    account, metric, variant, display_name, recipient_handle, recipient_id, recipient_key, message,
    privacy_url, external_id, test, accepted_at, due_at, attempts, feedback_id, sent_at, quota_until,
    rating, rated_at, comment, commented_at)
{numbers}
SELECT n, 'V' || {view}, CASE WHEN n % 10 < 3 THEN 'answered' WHEN n % 10 < 6 THEN 'sent'
    ELSE 'expired' END, {team}, '', 'C012AB3C' || ({view} % 5), '1700000000.000100', {true},
    'U012AB3' || ({view} / 5 % 50), '', {at}, 'A' || (n % {accounts}), 'csat', {view} / 250 % 3,
    'Northwind', 'customer' || (n % :recipients),
    '18200' || {recipient}, '{key_prefix}' || {recipient}, :message,
    'https://northwind.example/privacy', 'ticket_' || n, {false}, {at}, {at}, 1,
    '17000' || {view}, {at}, {day_after}, CASE WHEN n % 10 < 3 THEN 5 - {view} / 750 % 16 / 4 END,
    CASE WHEN n % 10 < 3 THEN {day_after} END, CASE WHEN n % 10 = 0 THEN 'Thank you, that was quick.' END,
    CASE WHEN n % 10 = 0 THEN {day_after} END FROM numbers"""
FOLLOW_UPS = """INSERT INTO follow_ups (survey_id, team, opened_at, taken_by, taken_at)
SELECT id, team, rated_at, 'U012AB3CD', rated_at FROM surveys
WHERE rating <= 2 AND id BETWEEN :first AND :last"""
ATTEMPTS = """INSERT INTO attempts (survey_id, number, instance, started_at, ended_at, outcome, detail)
{numbers} SELECT n, 1, 'a1b2c3d4', {at}, {at}, 'sent', '' FROM numbers"""
OUTBOX = """INSERT INTO outbox (survey_id, kind, attempts, sent_at, channel, ts)
{numbers} SELECT n, 'sent', 0, {at}, 'C012AB3CD', '1700000000.000100' FROM numbers"""


def recipient(number: int, surveys: int) -> tuple[str, str]:
    """Return the account and the key of a recipient in a database with so many surveys."""
    shuffled = number % (surveys // SURVEYS_PER_RECIPIENT) * 2654435761 % 4294967296
    return f"A{number % ACCOUNTS}", f"{KEY_PREFIX}{shuffled}"


def fill(url: str, surveys: int, now: datetime) -> int:
    """Fill a new database; return its size in bytes."""
    open_engine(url, Timeouts()).dispose()
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        for pragma in FAST_PRAGMAS if is_sqlite else ():
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        for index in _indexes():
            index.drop(connection)
        connection.execute(accounts.insert(), [{"id": f"A{number}"} for number in range(ACCOUNTS)])
        with typer.progressbar(length=surveys, label=f"Filling {surveys:,}") as bar:
            for first in range(1, surveys + 1, BATCH_SIZE):
                last = min(first + BATCH_SIZE - 1, surveys)
                _insert(connection, first, last, surveys, now)
                bar.update(last - first + 1)
        for index in _indexes():
            index.create(connection)
        if not is_sqlite:
            connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('surveys', 'id'), {surveys})")
            connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("PRAGMA journal_mode=WAL" if is_sqlite else "CHECKPOINT")
    return _measure_size(engine)


def _indexes() -> Iterable[sqlalchemy.Index]:
    return [index for table in metadata.sorted_tables for index in sorted(table.indexes, key=str)]


def _insert(connection: Connection, first: int, last: int, surveys: int, now: datetime) -> None:
    dialect = connection.dialect.name
    is_sqlite = dialect == "sqlite"
    seconds = f"(n - {surveys}) * {SURVEY_INTERVAL_SECONDS}"
    parameters = {
        "first": first,
        "last": last,
        "now": f"{now:%Y-%m-%d %H:%M:%S}" if is_sqlite else now,
        "recipients": surveys // SURVEYS_PER_RECIPIENT,
        "message": MESSAGE,
    }
    for template in (SURVEYS, FOLLOW_UPS, ATTEMPTS, OUTBOX):
        statement = template.format(
            numbers=NUMBERS,
            view=SHUFFLED.format("n"),
            recipient=SHUFFLED.format("n % :recipients"),
            key_prefix=KEY_PREFIX,
            at=TIMESTAMPS[dialect].format(seconds),
            day_after=TIMESTAMPS[dialect].format(f"{seconds} + 86400"),
            accounts=ACCOUNTS,
            team=f"CASE WHEN n > {surveys - WORKSPACE_SURVEYS} THEN 'T1' ELSE 'T2' END",
            true=1 if is_sqlite else "true",
            false=0 if is_sqlite else "false",
        )
        used = {name: value for name, value in parameters.items() if f":{name}" in statement}
        connection.execute(text(statement), used)


def _measure_size(engine: Engine) -> int:
    is_sqlite = engine.dialect.name == "sqlite"
    query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    with engine.connect() as connection:
        size: int = connection.exec_driver_sql(
            query if is_sqlite else "SELECT pg_database_size(current_database())"
        ).scalar_one()
    engine.dispose()
    return size

"""Connections to PostgreSQL that never wait longer for a silent server than their thread may.

The server's own timeouts end what it works on. If nothing comes from it any more, TCP's keepalive and user
timeout close the connection; and if something else still acknowledges the packets (a proxy, the kernel of a
suspended server), the thread's deadline does.
"""

import math
import select
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import psycopg
import sqlalchemy
from psycopg.abc import PQGen
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from csat.db.transaction_deadlines import SILENT, remaining_seconds
from csat.timeouts import Timeouts

RV = TypeVar("RV")

KEEPALIVE: Mapping[str, int] = MappingProxyType(
    {
        "keepalives_idle": 2,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,
    }
)
"""libpq's parameters, in seconds but for the last one, which is in milliseconds."""

APPLICATION_NAME = "csat-slack"
"""By which the server's list of connections (pg_stat_activity) shows those of this app."""


def create_engine(url: str, connections: int, timeouts: Timeouts) -> Engine:
    """Return an engine whose calls raise an error at the deadline of their thread.

    Args:
        url: SQLAlchemy's URL of the database.
        connections: the number of threads that use the engine, so that none waits for the pool.
        timeouts: how long to wait for the server, and the server for locks, queries and clients.
    """
    engine = sqlalchemy.create_engine(
        url,
        hide_parameters=True,
        pool_size=connections,
        connect_args={
            "application_name": APPLICATION_NAME,
            "connect_timeout": timeouts.postgresql_connect,
            "options": _build_options(timeouts),
            **KEEPALIVE,
        },
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _replace_closed)
    return engine


def _build_options(timeouts: Timeouts) -> str:
    """Return the server's own timeouts."""
    seconds = {
        "lock_timeout": timeouts.postgresql_lock,
        "statement_timeout": timeouts.database_read,
        "idle_in_transaction_session_timeout": timeouts.database_write,
    }
    return " ".join(f"-c {name}={value * 1000:.0f}" for name, value in seconds.items())


class _PunctualConnection(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        remaining = remaining_seconds()
        if remaining == math.inf:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, remaining)
        except psycopg.OperationalError:
            if remaining_seconds():
                raise
            self.close()  # a late response would be taken for that of the next statement
            raise psycopg.OperationalError(SILENT) from None


def _connect(
    _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]
) -> _PunctualConnection:
    if not remaining_seconds():
        raise psycopg.OperationalError(SILENT)
    return _PunctualConnection.connect(*arguments, **options)


def _replace_closed(connection: psycopg.Connection[Any], _entry: object, _proxy: object) -> None:
    """Let the pool connect anew if a connection is closed; if the server did that, its socket is readable.

    SQLAlchemy's `pool_pre_ping` asks the server instead, which takes a round trip before each transaction.
    """
    if connection.closed or _is_readable(connection.fileno()):
        raise DisconnectionError


def _is_readable(file: int) -> bool:
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(0))
